(** When a program of units computes what the spec's program says: prover/kernel/congruence.py.

    Terms of each program are in an order of evaluation; inputs, constants and elements of results are
    operations too. *)

From Coq Require Import Arith List.
Import ListNotations.

Section Congruence.
Variables Operation Unit Value : Type.
Variable compute : Operation -> list Value -> Value.
Variable neurons : Unit -> list Value -> Value.
Variable operation : Unit -> Operation.  (* that a unit's theorem is about *)

Variable of_spec : nat -> Operation * list nat.  (* of each term, by what it is computed and of which *)
Variable of_circuit : nat -> Unit * list nat.
Variables spec circuit : nat -> Value.
Variables spec_number circuit_number : nat -> nat.

Hypothesis spec_evaluated :
  forall s, spec s = compute (fst (of_spec s)) (map spec (snd (of_spec s))).
Hypothesis circuit_evaluated :
  forall c, circuit c = neurons (fst (of_circuit c)) (map circuit (snd (of_circuit c))).
Hypothesis operands_before : forall s r, In r (snd (of_spec s)) -> r < s.
(* not enough: forall s r, In r (snd (of_spec s)) -> r <= s *)
Hypothesis theorem_of_unit : forall unit values, neurons unit values = compute (operation unit) values.

(** Terms have one number only if they are built alike, of operands in their order. *)
Hypothesis built_alike :
  forall s c, spec_number s = circuit_number c ->
    fst (of_spec s) = operation (fst (of_circuit c)) /\
    map spec_number (snd (of_spec s)) = map circuit_number (snd (of_circuit c)).
(* not enough: forall s c, spec_number s = circuit_number c ->
    fst (of_spec s) = operation (fst (of_circuit c)) /\
    length (snd (of_spec s)) = length (snd (of_circuit c)) *)

Lemma same_values :
  forall terms others,
    (forall s c, In s terms -> spec_number s = circuit_number c -> spec s = circuit c) ->
    map spec_number terms = map circuit_number others -> map spec terms = map circuit others.
Proof.
  induction terms as [|s terms known]; intros [|c others] equal numbers; try discriminate; [reflexivity|].
  cbn in *. injection numbers as first rest. f_equal.
  - exact (equal s c (or_introl eq_refl) first).
  - apply known; [|exact rest]. intros s' c' within. apply equal. now right.
Qed.

Theorem congruence_of_programs :
  forall s c, spec_number s = circuit_number c -> spec s = circuit c.
Proof.
  induction s as [s known] using (well_founded_induction lt_wf). intros c number.
  destruct (built_alike s c number) as [same operands].
  rewrite spec_evaluated, circuit_evaluated, theorem_of_unit, same. f_equal.
  apply same_values; [|exact operands]. intros r d within. exact (known r (operands_before s r within) d).
Qed.
End Congruence.

(** Nothing is assumed beside the premises. *)

Definition proved := congruence_of_programs.
Print Assumptions proved.
