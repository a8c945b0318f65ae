(** Laws of products, quotients and roots, which take no proof but this: prover/kernel/algebra.py. *)

From Coq Require Import ZArith Lia.
Local Open Scope Z_scope.

Lemma power_positive : forall size, 0 <= size -> 0 < 2 ^ size.
Proof. intros. apply Z.pow_pos_nonneg; lia. Qed.

Section Product.
Variables x y n m : Z.
Hypothesis x_positive : 0 <= x.
(* not enough: -1 <= x *)
Hypothesis y_positive : 0 <= y.
(* not enough: -1 <= y *)

Theorem product_laws :
  (x * y = 0 <-> x = 0 \/ y = 0) /\
  (1 <= n -> 1 <= m -> 2 ^ (n - 1) <= x -> 2 ^ (m - 1) <= y -> 2 ^ (n + m - 2) <= x * y) /\
  (x * y <> 0 -> x <= x * y /\ y <= x * y).
Proof.
  split; [exact (Z.mul_eq_0 x y)|split].
  - intros one other first second.
    pose proof (power_positive (n - 1) ltac:(lia)). pose proof (power_positive (m - 1) ltac:(lia)).
    replace (n + m - 2) with (n - 1 + (m - 1)) by ring. rewrite Z.pow_add_r by lia. nia.
  - intro some. assert (0 < x) by nia. assert (0 < y) by nia. nia.
Qed.
End Product.

(** Of factors that are others shifted, in as many bits as the product has. *)

Section Shifted_product.
Variables x y x' y' a b n m : Z.
Hypothesis x_fits : 0 <= x < 2 ^ n.
(* not enough: 0 <= x <= 2 ^ n *)
Hypothesis y_fits : 0 <= y < 2 ^ m.
(* not enough: 0 <= y <= 2 ^ m *)
Hypothesis a_within : 0 <= a <= n + m - n.
(* not enough: 0 <= a <= n + m *)
Hypothesis b_within : 0 <= b <= n + m - m.
(* not enough: 0 <= b <= n + m *)
Hypothesis x'_fits : 0 <= x' < 2 ^ n.
(* not enough: 0 <= x' <= 2 ^ n *)
Hypothesis y'_fits : 0 <= y' < 2 ^ m.
(* not enough: 0 <= y' <= 2 ^ m *)
Hypothesis x_shifted : x' = (2 ^ a * x) mod 2 ^ (n + m).
Hypothesis y_shifted : y' = (2 ^ b * y) mod 2 ^ (n + m).

Lemma no_bit_lost :
  forall size width shift factor, 0 <= width -> 0 <= shift <= size - width -> 0 <= factor < 2 ^ width ->
    (2 ^ shift * factor) mod 2 ^ size = 2 ^ shift * factor.
Proof.
  intros size width shift factor positive within fits. apply Z.mod_small.
  pose proof (power_positive shift ltac:(lia)).
  assert (2 ^ shift * 2 ^ width <= 2 ^ size).
  { rewrite <- Z.pow_add_r by lia. apply Z.pow_le_mono_r; lia. }
  split; [apply Z.mul_nonneg_nonneg; lia|]. apply (Z.lt_le_trans _ (2 ^ shift * 2 ^ width)); [|assumption].
  apply Z.mul_lt_mono_pos_l; lia.
Qed.

Theorem shifted_product :
  x' * y' = (2 ^ (a + b) * (x * y)) mod 2 ^ (n + m) /\ x * y = x' * y' / 2 ^ (a + b).
Proof.
  pose proof (power_positive (a + b) ltac:(lia)).
  assert (x' * y' = x * y * 2 ^ (a + b)) as shifted.
  { rewrite x_shifted, y_shifted, (no_bit_lost _ n), (no_bit_lost _ m), Z.pow_add_r by lia. ring. }
  split.
  - rewrite (Z.mul_comm (2 ^ (a + b))), <- shifted, Z.mod_small; [reflexivity|].
    rewrite Z.pow_add_r by lia. split; [apply Z.mul_nonneg_nonneg; lia|].
    apply Z.mul_lt_mono_nonneg; lia.
  - rewrite shifted, Z.div_mul by lia. reflexivity.
Qed.
End Shifted_product.

Section Quotient.
Variables dividend divisor quotient remainder n : Z.
Hypothesis width : 1 <= n.
(* not enough: 0 <= n *)
Hypothesis divides : dividend * 2 ^ (n + 1) = quotient * divisor + remainder.
Hypothesis less : 0 <= remainder < divisor.
(* not enough: 0 <= remainder <= divisor *)
Hypothesis divisor_fits : divisor < 2 ^ n.
(* not enough: divisor <= 2 ^ n + 1 *)

Theorem quotient_laws :
  (dividend = 0 -> quotient = 0 /\ remainder = 0) /\
  (2 ^ (n - 1) <= dividend -> 2 ^ n <= quotient).
Proof.
  split.
  - intro zero. rewrite zero in divides. assert (quotient = 0) by nia. lia.
  - intro first. pose proof (power_positive n ltac:(lia)).
    assert (2 ^ n * 2 ^ n <= dividend * 2 ^ (n + 1)).
    { replace (n + 1) with (1 + n) by ring. rewrite (Z.pow_add_r 2 1 n) by lia.
      assert (2 ^ n = 2 * 2 ^ (n - 1)) as twice.
      { rewrite <- Z.pow_succ_r by lia. f_equal. ring. }
      change (2 ^ 1) with 2. nia. }
    nia.
Qed.
End Quotient.

Section Root.
Variables radicand root remainder n : Z.
Hypothesis width : 1 <= n.
Hypothesis extracts : radicand = root * root + remainder.
Hypothesis small : 0 <= remainder <= 2 * root.
(* not enough: 0 <= remainder <= 2 * root + 1 *)

Theorem root_laws :
  (radicand = 0 -> root = 0 /\ remainder = 0) /\ (2 ^ (2 * n - 2) <= radicand -> 2 ^ (n - 1) <= root).
Proof.
  split.
  - intro zero. assert (root = 0) by nia. lia.
  - intro first. pose proof (power_positive (n - 1) ltac:(lia)).
    replace (2 * n - 2) with (n - 1 + (n - 1)) in first by ring. rewrite Z.pow_add_r in first by lia.
    nia.
Qed.
End Root.

(** Nothing is assumed beside the premises. *)

Definition proved := (product_laws, shifted_product, quotient_laws, root_laws).
Print Assumptions proved.
