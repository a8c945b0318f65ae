(** Quotients by rows whose remainders are redundant: prover/kernel/redundant.py and
    prover/kernel/settling.py. *)

From Coq Require Import ZArith Lia.
Local Open Scope Z_scope.

(** A step that says that the digit is j or more, of a neuron that adds up E. *)

Section Step.
Variables minuend divisor excess c j : Z. (* M, B, E *)
Variable step : bool.
Hypothesis fires : step = true <-> 0 <= excess.
(* not enough: step = true -> 0 <= excess *)
Hypothesis not_negative : 0 <= c.
(* not enough: -1 <= c *)
Hypothesis at_least : 0 <= minuend - (j - 1) * divisor - c * excess.
(* not enough: -1 <= minuend - (j - 1) * divisor - c * excess *)
Hypothesis below : minuend - (j - 1) * divisor - c * excess < divisor + c.
(* not enough: minuend - (j - 1) * divisor - c * excess <= divisor + c *)

Theorem step_tells :
  (step = true -> (j - 1) * divisor <= minuend) /\ (step = false -> minuend < j * divisor).
Proof.
  destruct step; split; intro is; try discriminate.
  - pose proof (proj1 fires eq_refl). nia.
  - assert (excess <= -1).
    { destruct (Z_lt_le_dec excess 0) as [negative|not]; [lia|]. discriminate (proj2 fires not). }
    nia.
Qed.
End Step.

(** How many of so many steps are 1. *)
Fixpoint reached (fires : nat -> bool) steps := match steps with
  | O => 0
  | S before => reached fires before + Z.b2z (fires before)
  end.

(** The digit, from -m to m, that steps tell, of which the first says that it is 1 - m or more. *)

Section Digit.
Variables minuend divisor : Z.
Variable most : nat. (* m *)
Variable fires : nat -> bool.
Let m := Z.of_nat most.
Hypothesis is_enough :
  forall k, (k < 2 * most)%nat -> fires k = true -> (Z.of_nat k - m) * divisor <= minuend.
(* not enough: forall k, (k < 2 * most)%nat -> fires k = true -> (Z.of_nat k - m) * divisor <= minuend + 1 *)
Hypothesis is_needed :
  forall k, (k < 2 * most)%nat -> fires k = false -> minuend < (Z.of_nat k + 1 - m) * divisor.
(* not enough: forall k, (k < 2 * most)%nat -> fires k = false -> minuend <= (Z.of_nat k + 1 - m) * divisor *)

Theorem digit_in_order : forall k, (S k < 2 * most)%nat -> fires (S k) = true -> fires k = true.
Proof.
  intros k within after. destruct (fires k) eqn:before; [reflexivity|].
  pose proof (is_enough (S k) within after) as enough.
  pose proof (is_needed k ltac:(lia) before) as needed.
  rewrite Nat2Z.inj_succ in enough. unfold Z.succ in enough. lia.
Qed.

Hypothesis not_less : - (m + 1) * divisor <= minuend.
(* not enough: - (m + 1) * divisor <= minuend + 1 *)
Hypothesis less : minuend < (m + 1) * divisor.
(* not enough: minuend <= (m + 1) * divisor *)

Lemma digit_so_far :
  forall steps, (steps <= 2 * most)%nat ->
    let c := reached fires steps in
    (c - 1 - m) * divisor <= minuend /\
    (c = Z.of_nat steps \/ (c < Z.of_nat steps /\ minuend < (c + 1 - m) * divisor)).
Proof.
  assert (0 < divisor) as positive by (unfold m in *; nia).
  induction steps as [|steps known]; intro within; cbn [reached]; cbv zeta in *.
  - split; [|now left]. lia.
  - destruct (known ltac:(lia)) as [low or]. destruct (fires steps) eqn:fired; cbn [Z.b2z].
    + pose proof (is_enough steps ltac:(lia) fired). destruct or as [all|[some high]]; [|nia].
      rewrite all in *. split; [|left; lia].
      replace (Z.of_nat steps + 1 - 1 - m) with (Z.of_nat steps - m) by ring. assumption.
    + pose proof (is_needed steps ltac:(lia) fired). rewrite Z.add_0_r. split; [exact low|].
      right. destruct or as [all|[some high]]; [rewrite all in *|]; split; try lia; assumption.
Qed.

Theorem digit_keeps_bounds :
  let q := reached fires (2 * most) - m in - divisor <= minuend - q * divisor < divisor.
Proof.
  cbv zeta. destruct (digit_so_far (2 * most) (le_n _)) as [low or]. cbv zeta in *.
  destruct or as [all|[_ high]]; [|lia].
  rewrite all in *. unfold m in *. replace (Z.of_nat (2 * most)) with (2 * Z.of_nat most) in * by lia. lia.
Qed.
End Digit.

(** A place: steps that compare one sum with all numbers from 1 - m to m are that sum, less m. *)

Section Place.
Variable sum : Z.
Variable most : nat.
Variable fires : nat -> bool.
Let m := Z.of_nat most.
Hypothesis compares : forall k, (k < 2 * most)%nat -> fires k = true <-> Z.of_nat k + 1 - m <= sum.
(* not enough: forall k, (k < 2 * most)%nat -> fires k = true -> Z.of_nat k + 1 - m <= sum *)
Hypothesis low : - m <= sum.
(* not enough: - m - 1 <= sum *)
Hypothesis high : sum <= m.
(* not enough: sum <= m + 1 *)

Theorem place : reached fires (2 * most) - m = sum.
Proof.
  assert (forall steps, (steps <= 2 * most)%nat ->
    reached fires steps = Z.min (Z.of_nat steps) (sum + m)) as known.
  { induction steps as [|steps known]; intro within; cbn [reached]; [lia|].
    rewrite known by lia. pose proof (compares steps ltac:(lia)) as compared.
    destruct (fires steps); cbn [Z.b2z].
    - pose proof (proj1 compared eq_refl). lia.
    - destruct (Z_lt_le_dec sum (Z.of_nat steps + 1 - m)) as [is|not]; [lia|].
      discriminate (proj2 compared not). }
  rewrite known by lia. unfold m in *. lia.
Qed.
End Place.

(** A neuron that reads a sum of steps, u, and a bit of the divisor. *)

Section Product.
Variables u b : Z.
Hypothesis u_bit : 0 <= u <= 1.
(* not enough: 0 <= u <= 2 *)
Hypothesis b_bit : 0 <= b <= 1.
(* not enough: 0 <= b <= 2 *)

Theorem product : (if 0 <=? u + b - 2 then 1 else 0) = u * b.
Proof. destruct (Z.leb_spec 0 (u + b - 2)); nia. Qed.
End Product.

(** What a last place is, of a number between minus its unit and that. *)

Section Last_place.
Variables unit last below low high : Z.
Hypothesis within : - unit < below + unit * last < unit.
(* not enough: - unit <= below + unit * last < unit *)
Hypothesis known : low <= below <= high.
(* not enough: low - 1 <= below <= high + 1 *)

Theorem last_place : - ((unit - 1 + high) / unit) <= last <= (unit - 1 - low) / unit.
Proof.
  split.
  - assert (- last <= (unit - 1 + high) / unit) by (apply Z.div_le_lower_bound; lia). lia.
  - apply Z.div_le_lower_bound; lia.
Qed.
End Last_place.

(** Rows, which leave a remainder that may be negative. *)

Section Rows.
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
  forall row, (row <= last)%nat -> - 2 ^ bits row * divisor <= remainder row < 2 ^ bits row * divisor ->
    remainder row = q row * divisor + difference row /\ - divisor <= difference row < divisor.
(* not enough: forall row, (row <= last)%nat ->
    - 2 ^ bits row * divisor <= remainder row < 2 ^ bits row * divisor ->
    remainder row = q row * divisor + difference row /\ - divisor <= difference row <= divisor *)

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
    - divisor <= difference row < divisor.
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

Theorem rows :
  dividend * 2 ^ (size + 1) = quotient last * divisor + difference last /\
  - divisor <= difference last < divisor.
Proof.
  replace (size + 1) with (places last - 1) by lia. exact (every_row last (le_n last)).
Qed.
End Rows.

(** The last remainder, and the quotient, settled: modulo 2^n and 2^(n+2), of which they are residues. *)

Section Settled.
Variables dividend divisor digits difference positive quotient remainder size : Z.
Hypothesis some : 0 <= size.
Hypothesis dividend_positive : 0 <= dividend.
(* not enough: -1 <= dividend *)
Hypothesis dividend_small : dividend < 2 * divisor.
(* not enough: dividend <= 2 * divisor *)
Hypothesis divisor_fits : divisor < 2 ^ size.
(* not enough: divisor <= 2 ^ size + 1 *)
Hypothesis of_rows : dividend * 2 ^ (size + 1) = digits * divisor + difference.
Hypothesis bounds : - divisor <= difference < divisor.
(* not enough: - divisor - 1 <= difference <= divisor *)
Hypothesis says_sign : (positive = 1 /\ 0 <= difference) \/ (positive = 0 /\ difference < 0).
(* not enough: positive = 1 \/ positive = 0 *)
Hypothesis remainder_settled : remainder = (difference + (1 - positive) * divisor) mod 2 ^ size.
Hypothesis quotient_settled : quotient = (digits - (1 - positive)) mod 2 ^ (size + 2).

Theorem settled :
  dividend * 2 ^ (size + 1) = quotient * divisor + remainder /\ 0 <= remainder < divisor.
Proof.
  assert (0 < 2 ^ (size + 1)) by (apply Z.pow_pos_nonneg; lia).
  assert (2 ^ (size + 2) = 2 * 2 ^ (size + 1)) as twice.
  { rewrite <- Z.pow_succ_r by lia. f_equal. ring. }
  assert (0 <= difference + (1 - positive) * divisor < divisor) as small by lia.
  assert (0 <= digits - (1 - positive) < 2 ^ (size + 2)) as fits by (rewrite twice; nia).
  rewrite remainder_settled, quotient_settled, !Z.mod_small by lia. split; [lia|exact small].
Qed.
End Settled.

(** A count is its first bit and twice what there is above that, which may be negative. *)

Theorem first_bit : forall value, value = value mod 2 + 2 * (value / 2).
Proof. intro value. pose proof (Z.div_mod value 2 ltac:(lia)). lia. Qed.

(** What places carry, and what they leave. *)

Section Told.
Variable place : nat -> Z. (* p *)
Fixpoint carry i := match i with
  | O => 0
  | S before => (place before + carry before) / 2
  end.
Fixpoint number (places : nat -> Z) size := match size with
  | O => 0
  | S before => number places before + 2 ^ Z.of_nat before * places before
  end.

Theorem told :
  forall size, number place size
    = number (fun i => (place i + carry i) mod 2) size + 2 ^ Z.of_nat size * carry size.
Proof.
  induction size as [|size known]; [reflexivity|]. cbn [number carry].
  rewrite known, Nat2Z.inj_succ, Z.pow_succ_r by lia.
  pose proof (first_bit (place size + carry size)). nia.
Qed.
End Told.

(** Nothing is assumed beside the premises. *)

Definition proved := (step_tells, digit_in_order, digit_keeps_bounds, place, product, last_place, rows, settled,
  first_bit, told).
Print Assumptions proved.
