(** Quotients and roots by the invariants of their rows: prover/kernel/recurrence.py.

    Rows are numbered from 0, the last is [last]. A row gives bits q, as many as [bits] says, and leaves a
    difference D. *)

From Coq Require Import ZArith Lia.
Local Open Scope Z_scope.

Section Division.
Variables dividend divisor : Z.          (* A and B *)
Variable last : nat.
Variables bits q difference remainder : nat -> Z.

Hypothesis dividend_positive : 0 <= dividend.
Hypothesis dividend_small : dividend < 2 * divisor.
(* not enough: dividend <= 2 * divisor *)
Hypothesis some_bits : forall row, (row <= last)%nat -> 1 <= bits row.
(* not enough: forall row, (row <= last)%nat -> 0 <= bits row *)
Hypothesis begins : remainder 0%nat = 2 ^ (bits 0%nat - 1) * dividend.
Hypothesis continues :
  forall row, (row < last)%nat -> remainder (S row) = 2 ^ bits (S row) * difference row.
Hypothesis row_divides :
  forall row, (row <= last)%nat -> 0 <= remainder row < 2 ^ bits row * divisor ->
    remainder row = q row * divisor + difference row /\ 0 <= difference row < divisor.
(* not enough: forall row, (row <= last)%nat -> 0 <= remainder row < 2 ^ bits row * divisor ->
    remainder row = q row * divisor + difference row /\ 0 <= difference row <= divisor *)

(** The bits of all rows up to one, as a number, and how many they are. *)
Fixpoint quotient row := match row with
  | O => q O
  | S before => 2 ^ bits row * quotient before + q row
  end.
Fixpoint places row := match row with
  | O => bits O
  | S before => places before + bits row
  end.

Lemma places_positive : forall row, (row <= last)%nat -> 1 <= places row.
Proof.
  induction row as [|row known]; intro within; cbn [places].
  - exact (some_bits 0%nat within).
  - pose proof (some_bits (S row) within). specialize (known ltac:(lia)). lia.
Qed.

Lemma every_row :
  forall row, (row <= last)%nat ->
    dividend * 2 ^ (places row - 1) = quotient row * divisor + difference row /\
    0 <= difference row < divisor.
Proof.
  induction row as [|row known]; intro within; cbn [places quotient].
  - pose proof (some_bits 0%nat within) as some.
    destruct (row_divides 0%nat within) as [equal small].
    + assert (2 ^ bits 0%nat = 2 * 2 ^ (bits 0%nat - 1)) as twice.
      { rewrite <- Z.pow_succ_r by lia. f_equal. ring. }
      assert (0 < 2 ^ (bits 0%nat - 1)) by (apply Z.pow_pos_nonneg; lia).
      rewrite begins, twice. nia.
    + split; [|exact small]. rewrite <- equal, begins. ring.
  - destruct (known ltac:(lia)) as [before left]. pose proof (some_bits (S row) within) as some.
    pose proof (places_positive row ltac:(lia)).
    assert (0 < 2 ^ bits (S row)) by (apply Z.pow_pos_nonneg; lia).
    destruct (row_divides (S row) within) as [equal small].
    + rewrite continues by lia. nia.
    + split; [|exact small]. rewrite continues in equal by lia.
      replace (places row + bits (S row) - 1) with (bits (S row) + (places row - 1)) by ring.
      rewrite Z.pow_add_r by lia.
      transitivity (2 ^ bits (S row) * (dividend * 2 ^ (places row - 1))); [ring|].
      rewrite before. transitivity (2 ^ bits (S row) * quotient row * divisor
        + 2 ^ bits (S row) * difference row); [ring|]. rewrite equal. ring.
Qed.

Variable size : Z. (* n *)
Hypothesis all_places : places last = size + 2.

Theorem division :
  dividend * 2 ^ (size + 1) = quotient last * divisor + difference last /\
  0 <= difference last < divisor.
Proof.
  replace (size + 1) with (places last - 1) by lia. exact (every_row last (le_n last)).
Qed.
End Division.

(** There is no other quotient and remainder. *)

Section One_quotient.
Variables dividend divisor quotient remainder other left : Z.
Hypothesis divides : dividend = quotient * divisor + remainder.
Hypothesis less : 0 <= remainder < divisor.
(* not enough: 0 <= remainder <= divisor *)
Hypothesis other_divides : dividend = other * divisor + left.
Hypothesis other_less : 0 <= left < divisor.
(* not enough: -1 <= left < divisor *)
Theorem one_quotient : quotient = other /\ remainder = left.
Proof. assert (quotient = other) by nia. subst. lia. Qed.
End One_quotient.

Section Root.
Variable last : nat.
Variables bits q digits difference : nat -> Z.

(** What a row reads of those before it: the root Q, the remainder R, and the radicand X so far. *)
Fixpoint root row := match row with
  | O => 0
  | S before => 2 ^ bits before * root before + q before
  end.
Fixpoint radicand row := match row with
  | O => 0
  | S before => 4 ^ bits before * radicand before + digits before
  end.
Definition remainder row := match row with
  | O => 0
  | S before => difference before
  end.

Hypothesis some_bits : forall row, (row < last)%nat -> 0 <= bits row.
(* not enough: forall row, (row < last)%nat -> -1 <= bits row *)
Hypothesis row_extracts :
  forall row, (row < last)%nat -> 0 <= remainder row <= 2 * root row ->
    4 ^ bits row * remainder row + digits row
      = q row * (2 ^ (bits row + 1) * root row + q row) + difference row /\
    0 <= difference row <= 2 * (2 ^ bits row * root row + q row).
(* not enough: forall row, (row < last)%nat -> 0 <= remainder row <= 2 * root row ->
    4 ^ bits row * remainder row + digits row
      = q row * (2 ^ (bits row + 1) * root row + q row) + difference row /\
    0 <= difference row <= 2 * (2 ^ bits row * root row + q row) + 1 *)

Theorem root_of_rows :
  forall row, (row <= last)%nat ->
    radicand row = root row * root row + remainder row /\ 0 <= remainder row <= 2 * root row.
Proof.
  induction row as [|row known]; intro within; [cbn; lia|].
  destruct (known ltac:(lia)) as [before small].
  destruct (row_extracts row ltac:(lia) small) as [equal next].
  pose proof (some_bits row ltac:(lia)) as some.
  cbn [radicand root remainder]. split; [|exact next].
  rewrite before. replace 4 with (2 * 2) in equal |- * by reflexivity.
  rewrite Z.pow_mul_l in equal |- *. rewrite Z.pow_add_r in equal by lia. cbn in equal.
  rewrite Z.mul_add_distr_l, <- Z.add_assoc, equal. ring.
Qed.
End Root.

Section Whole_root.
Variables radicand root remainder : Z.
Hypothesis made_of : radicand = root * root + remainder.
Hypothesis positive : 0 <= remainder.
(* not enough: -1 <= remainder *)
Hypothesis small : remainder <= 2 * root.
(* not enough: remainder <= 2 * root + 1 *)
Theorem whole_root : root * root <= radicand < (root + 1) * (root + 1).
Proof. lia. Qed.
End Whole_root.

(** A digit of a row of one bit is its own square: q (4 Q + 1) is q (4 Q + q). *)

Section One_bit.
Variables q root : Z.
Hypothesis a_bit : q = 0 \/ q = 1.
(* not enough: q = 0 \/ q = 1 \/ q = 2 *)
Theorem one_bit : q * (4 * root + 1) = q * (2 ^ (1 + 1) * root + q).
Proof. change (2 ^ (1 + 1)) with 4. destruct a_bit; subst; ring. Qed.
End One_bit.

(** ** Rows that do not restore

    They read and leave a signed N instead, and a bit that is 1 iff N >= 0; where it is 0, N lacks what was
    taken once too often. What they claim is of what N stands for, so that they are rows as above. *)

Definition lacking n sign step := n + (1 - sign) * step.
Definition says_sign sign n := sign = 1 <-> 0 <= n.

Section Signed_division.
Variables dividend divisor size : Z.
Variable last : nat.
Variables read sign bit left : nat -> Z. (* N before a row, its bit; the row's bit, and N after it *)
Let read_as row := lacking (read row) (sign row) (2 * divisor).
Let left_as row := lacking (left row) (bit row) divisor.

Hypothesis dividend_positive : 0 <= dividend.
Hypothesis dividend_small : dividend < 2 * divisor.
(* not enough: dividend <= 2 * divisor *)
Hypothesis begins : read 0%nat = dividend.
Hypothesis begins_positive : sign 0%nat = 1.
Hypothesis continues : forall row, (row < last)%nat -> read (S row) = 2 * left row.
Hypothesis continues_sign : forall row, (row < last)%nat -> sign (S row) = bit row.
Hypothesis row_divides :
  forall row, (row <= last)%nat ->
    0 <= read_as row < 2 * divisor /\ says_sign (sign row) (read row) ->
    (read_as row = bit row * divisor + left_as row /\ 0 <= left_as row < divisor) /\
    says_sign (bit row) (left row).
(* not enough: forall row, (row <= last)%nat ->
    0 <= read_as row < 2 * divisor /\ says_sign (sign row) (read row) ->
    read_as row = bit row * divisor + left_as row /\ 0 <= left_as row < divisor *)
Hypothesis all_rows : Z.of_nat last + 1 = size + 2.

Lemma signed_row :
  forall row, (row <= last)%nat ->
    0 <= read_as row < 2 * divisor /\ says_sign (sign row) (read row).
Proof.
  unfold read_as, lacking.
  induction row as [|row known]; intro within.
  - unfold says_sign. rewrite begins, begins_positive. lia.
  - destruct (row_divides row ltac:(lia) (known ltac:(lia))) as [[_ small] sign_said].
    rewrite continues, continues_sign by lia. unfold left_as, lacking in small.
    unfold says_sign in *. lia.
Qed.

Theorem signed_division :
  dividend * 2 ^ (size + 1) = quotient (fun _ => 1) bit last * divisor + left_as last /\
  0 <= left_as last < divisor.
Proof.
  apply (division dividend divisor last (fun _ => 1) bit left_as read_as); try assumption.
  - lia.
  - unfold read_as, lacking. rewrite begins, begins_positive. change (2 ^ (1 - 1)) with 1. ring.
  - intros row within. unfold read_as, left_as, lacking.
    rewrite continues, continues_sign by exact within. ring.
  - intros row within _. exact (proj1 (row_divides row within (signed_row row within))).
  - rewrite <- all_rows. clear. induction last as [|row known]; [reflexivity|].
    cbn [places]. rewrite known. lia.
Qed.
End Signed_division.

Section Signed_root.
Variable last : nat.
Variables digits read sign bit left : nat -> Z.
Let so_far row := root (fun _ => 1) bit row.
Let read_as row := lacking (read row) (sign row) (2 * so_far row + 1).
Let left_as row := lacking (left row) (bit row) (4 * so_far row + 1).

Hypothesis bits : forall row, (row < last)%nat -> bit row = 0 \/ bit row = 1.
(* not enough: forall row, (row < last)%nat -> bit row = 0 \/ bit row = 1 \/ bit row = 2 *)
Hypothesis begins : read 0%nat = 0.
Hypothesis begins_positive : sign 0%nat = 1.
Hypothesis continues : forall row, (row < last)%nat -> read (S row) = left row.
Hypothesis continues_sign : forall row, (row < last)%nat -> sign (S row) = bit row.
Hypothesis row_extracts :
  forall row, (row < last)%nat ->
    0 <= read_as row <= 2 * so_far row /\ says_sign (sign row) (read row) ->
    (4 * read_as row + digits row
       = bit row * (4 * so_far row + bit row) + left_as row /\
     0 <= left_as row <= 2 * (2 * so_far row + bit row)) /\
    says_sign (bit row) (left row).
(* not enough: forall row, (row < last)%nat ->
    0 <= read_as row <= 2 * so_far row /\ says_sign (sign row) (read row) ->
    (4 * read_as row + digits row
       = bit row * (4 * so_far row + bit row) + left_as row /\
     0 <= left_as row <= 2 * (2 * so_far row + bit row)) *)

Lemma next_read :
  forall row, (row < last)%nat -> read_as (S row) = left_as row.
Proof.
  intros row within. unfold read_as, left_as, lacking, so_far. cbn [root].
  rewrite continues, continues_sign by exact within. rewrite Z.pow_1_r.
  destruct (bits row within) as [is|is]; rewrite is; ring.
Qed.

Lemma first_read : read_as 0%nat = 0.
Proof. unfold read_as, lacking, so_far. rewrite begins, begins_positive. reflexivity. Qed.

Lemma signed_root_row :
  forall row, (row <= last)%nat ->
    0 <= read_as row <= 2 * so_far row /\ says_sign (sign row) (read row).
Proof.
  induction row as [|row known]; intro within.
  - rewrite first_read. unfold says_sign. rewrite begins, begins_positive. cbn. lia.
  - destruct (row_extracts row within (known ltac:(lia))) as [[_ small] sign_said].
    rewrite next_read, continues, continues_sign by exact within. exact (conj small sign_said).
Qed.

Theorem signed_root :
  forall row, (row <= last)%nat ->
    radicand (fun _ => 1) digits row = so_far row * so_far row + read_as row /\
    0 <= read_as row <= 2 * so_far row.
Proof.
  assert (forall row, (row <= last)%nat -> remainder left_as row = read_as row) as same.
  { destruct row as [|row]; intro within; [symmetry; exact first_read|].
    symmetry. exact (next_read row within). }
  intros row within. rewrite <- same by exact within.
  apply (root_of_rows last (fun _ => 1) bit digits left_as); [lia| |exact within].
  clear row within. intros row within _. rewrite same by lia.
  change (4 ^ 1) with 4. change (2 ^ (1 + 1)) with 4. change (2 ^ 1) with 2.
  exact (proj1 (row_extracts row within (signed_root_row row ltac:(lia)))).
Qed.
End Signed_root.

(** Nothing is assumed beside the premises. *)

Definition proved := (division, one_quotient, root_of_rows, whole_root, one_bit, signed_division, signed_root).
Print Assumptions proved.
