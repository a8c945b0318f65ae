(** Digits that were found from the top, by a neuron each: prover/kernel/searching.py. *)

From Coq Require Import ZArith Lia Arith.
Local Open Scope Z_scope.

(** A neuron adds up the integer T - v(D_k), and fires if it reaches its threshold less its bias, least /
    scale: which is to be more than -1 and at most 0. *)

Section Threshold.
Variables excess least scale : Z.
Hypothesis above : - scale < least.
(* not enough: - scale <= least *)
Hypothesis at_most : least <= 0.
(* not enough: least <= 1 *)

Theorem threshold : least <= scale * excess <-> 0 <= excess.
Proof. nia. Qed.
End Threshold.

(** ANDs of two, of which each is 0 or 1: 1 < least / scale <= 2. *)

Section And_of_two.
Variables a b least scale : Z.
Hypothesis a_bit : a = 0 \/ a = 1.
Hypothesis b_bit : b = 0 \/ b = 1.
Hypothesis above : scale < least.
(* not enough: scale <= least *)
Hypothesis at_most : least <= 2 * scale.
(* not enough: least <= 2 * scale + 1 *)

Theorem and_of_two : (if least <=? scale * (a + b) then 1 else 0) = a * b.
Proof. destruct (Z.leb_spec least (scale * (a + b))); destruct a_bit, b_bit; subst; lia. Qed.
End And_of_two.

Section Search.
Variable value : Z -> Z.       (* v *)
Variable target : Z.           (* T *)
Variable size : nat.           (* n *)
Variable digit : nat -> bool.  (* d *)

Let place k := 2 ^ Z.of_nat k.
(** What the digits from k = size - found on make up. *)
Fixpoint from_top (found : nat) : Z :=
  match found with
  | O => 0
  | S before =>
      let k := (size - found)%nat in
      from_top before + (if digit k then place k else 0)
  end.

Hypothesis begins_below : value 0 <= target.
(* not enough: value 0 <= target + 1 *)
Hypothesis begins_above : target < value (place size).
(* not enough: target <= value (place size) *)
Hypothesis searched :
  forall before, (before < size)%nat ->
    let k := (size - S before)%nat in
    digit k = (value (from_top before + place k) <=? target).

Lemma every_digit :
  forall found, (found <= size)%nat ->
    value (from_top found) <= target < value (from_top found + place (size - found)).
Proof.
  induction found as [|before known]; intro within; cbn [from_top].
  - rewrite Nat.sub_0_r, Z.add_0_l. lia.
  - assert (place (size - before) = 2 * place (size - S before)) as twice.
    { unfold place. replace (size - before)%nat with (S (size - S before)) by lia.
      rewrite Nat2Z.inj_succ. apply Z.pow_succ_r. lia. }
    specialize (known ltac:(lia)). rewrite twice in known.
    rewrite (searched before within). cbv zeta.
    destruct (Z.leb_spec (value (from_top before + place (size - S before))) target) as [reached|not].
    + split; [exact reached|]. now replace (from_top before + place (size - S before)
        + place (size - S before)) with (from_top before + 2 * place (size - S before)) by ring.
    + rewrite Z.add_0_r. lia.
Qed.

Theorem search : value (from_top size) <= target < value (from_top size + 1).
Proof.
  pose proof (every_digit size (le_n size)) as known. now rewrite Nat.sub_diag in known.
Qed.
End Search.

(** What the search finds: a sum; a quotient, if A < 2 B; a root. *)

Section Sum.
Variables target number : Z.
Hypothesis found : number <= target < number + 1.
(* not enough: number <= target <= number + 1 *)
Theorem sum_found : number = target.
Proof. lia. Qed.
End Sum.

Section Quotient.
Variables dividend divisor size : Z. (* A, B and n *)
Hypothesis size_positive : 0 < size.
Hypothesis dividend_positive : 0 <= dividend.
(* not enough: -1 <= dividend *)
Hypothesis dividend_small : dividend < 2 * divisor.
(* not enough: dividend <= 2 * divisor *)
Let value q := q * divisor.

Theorem quotient_begins : value 0 <= dividend * 2 ^ (size + 1) < value (2 ^ (size + 2)).
Proof.
  unfold value. assert (0 < 2 ^ (size + 1)) by (apply Z.pow_pos_nonneg; lia).
  replace (size + 2) with (Z.succ (size + 1)) by ring. rewrite Z.pow_succ_r by lia. nia.
Qed.

Variables quotient remainder : Z.
Hypothesis found : value quotient <= dividend * 2 ^ (size + 1) < value (quotient + 1).
(* not enough: value quotient <= dividend * 2 ^ (size + 1) <= value (quotient + 1) *)
Hypothesis divisor_fits : divisor < 2 ^ size.
(* not enough: divisor <= 2 ^ size + 1 *)
Let left_over := dividend * 2 ^ (size + 1) - quotient * divisor.

Theorem remainder_begins : 0 <= left_over < divisor /\ left_over < 2 ^ size.
Proof. unfold left_over, value in *. lia. Qed.
End Quotient.

Section Root.
Variables radicand size root : Z. (* X, n and Q *)
Hypothesis size_positive : 0 <= size.
Hypothesis radicand_positive : 0 <= radicand.
(* not enough: -1 <= radicand *)
Hypothesis radicand_fits : radicand < 2 ^ (2 * size).
(* not enough: radicand <= 2 ^ (2 * size) *)
Let value q := q * q.

Theorem root_begins : value 0 <= radicand < value (2 ^ size).
Proof.
  unfold value. split; [exact radicand_positive|]. rewrite <- Z.pow_add_r by exact size_positive.
  now replace (size + size) with (2 * size) by ring.
Qed.

Hypothesis found : value root <= radicand < value (root + 1).
(* not enough: value root <= radicand <= value (root + 1) *)
Hypothesis root_fits : 0 <= root < 2 ^ size.
(* not enough: 0 <= root <= 2 ^ size *)

Theorem root_remainder_begins :
  0 <= radicand - root * root <= 2 * root /\ radicand - root * root < 2 ^ (size + 1).
Proof.
  unfold value in *. rewrite Z.add_1_r, Z.pow_succ_r by exact size_positive. lia.
Qed.
End Root.

(** Nothing is assumed beside the premises. *)

Definition proved := (threshold, and_of_two, search, sum_found, quotient_begins, remainder_begins, root_begins,
  root_remainder_begins).
Print Assumptions proved.
