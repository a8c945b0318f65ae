; What ACL2 is told before it is given proofs. All rests on what comes first: the book must be certified,
; with nothing in it skipped or assumed, and its theorem must be the one that is repeated here, which is
; refused if it is not. Where anything fails, nothing is defined, and no proof can be accepted.

(include-book "projects/sat/lrat/incremental/run" :dir :system
  :uncertified-okp nil :defaxioms-okp nil :skip-proofs-okp nil :ttags nil)

(in-package "LRAT")

(set-ld-prompt nil state)

(er-progn
 (set-enforce-redundancy t)
 (defthm soundness
   (let ((formula (mv-nth 1
                          (proved-formula cnf-file clrat-file chunk-size debug
                                          nil ; incomplete-okp
                                          ctx state))))
     (implies formula
              (not (satisfiable formula)))))
 (set-enforce-redundancy nil)
 ; What the theorem is about is the formula that comes back, not the file: so it is written down.
 (defun refute (formula-file proof-file refuted-file state)
   (declare (xargs :mode :program :stobjs state))
   (er-let* ((formula (proved-formula formula-file proof-file *default-chunk-size* nil nil 'refute
                                      state)))
     (if formula
         (er-progn
          (print-formula formula :filename refuted-file)
          (pprogn (princ$ "s VERIFIED" *standard-co* state)
                  (newline *standard-co* state)
                  (value :invisible)))
       (value :invisible))))
 (pprogn (princ$ "ready" *standard-co* state)
         (newline *standard-co* state)
         (value :invisible)))
