(** Claims about formulas, split into cases by formulas put for inputs: prover/kernel/splitting.py. *)

Section Splitting.
Variables Input Case : Type.
Variables assumption goal : Input -> Prop.
Variable put : Case -> Input -> Input. (* f_k: what it is for inputs that are not of the case is immaterial *)

Hypothesis case : forall k x, assumption (put k x) -> goal (put k x).
Hypothesis coverage : forall x, exists k, x = put k x.

Theorem splitting : forall x, assumption x -> goal x.
Proof.
  intros x assumed. destruct (coverage x) as [k here]. rewrite here in assumed |- *.
  exact (case k x assumed).
Qed.
End Splitting.

(** Nothing is assumed beside the premises. *)

Definition proved := splitting.
Print Assumptions proved.
