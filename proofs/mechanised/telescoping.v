(** Integer products from the equations of their cells: prover/kernel/telescoping.py. *)

From Coq Require Import ZArith Lia List Znumtheory.
Import ListNotations.
Local Open Scope Z_scope.

(** ** Adding up

    A monomial is a product of signals: one signal, two, none for the constant. Equations are sums of
    coefficients times monomials. *)

Section Adding_up.
Variable Monomial : Type.
Variable same : forall a b : Monomial, {a = b} + {a <> b}.
Variable value : Monomial -> Z.
Let Terms := list (Z * Monomial).

Fixpoint total (terms : Terms) := match terms with
  | [] => 0
  | (weight, monomial) :: rest => weight * value monomial + total rest
  end.

Fixpoint coefficient (terms : Terms) monomial := match terms with
  | [] => 0
  | (weight, other) :: rest => (if same other monomial then weight else 0) + coefficient rest monomial
  end.

Definition times weight (terms : Terms) : Terms :=
  map (fun '(factor, monomial) => (weight * factor, monomial)) terms.

Lemma total_app : forall a b, total (a ++ b) = total a + total b.
Proof. induction a as [|[weight monomial] rest known]; intro b; cbn; [|rewrite known]; ring. Qed.

Lemma total_times : forall weight terms, total (times weight terms) = weight * total terms.
Proof.
  intros weight terms. unfold times. induction terms as [|[factor monomial] rest known]; cbn; [ring|].
  rewrite known. ring.
Qed.

(** If every coefficient is a multiple of the modulus, so is the sum. *)

Definition without monomial : Terms -> Terms :=
  filter (fun '(_, other) => if same other monomial then false else true).

Lemma taken_out :
  forall monomial terms,
    total terms = coefficient terms monomial * value monomial + total (without monomial terms).
Proof.
  intros monomial terms. induction terms as [|[weight other] rest known]; cbn; [ring|].
  rewrite known. destruct (same other monomial) as [is|not]; [rewrite is|]; cbn; ring.
Qed.

Lemma coefficient_without :
  forall monomial other terms,
    coefficient (without monomial terms) other
      = if same monomial other then 0 else coefficient terms other.
Proof.
  intros monomial other terms. induction terms as [|[weight third] rest known]; cbn.
  - now destruct (same monomial other).
  - destruct (same third monomial) as [is|not]; cbn; rewrite known; destruct (same monomial other);
      destruct (same third other); try congruence; ring.
Qed.

Lemma shorter : forall monomial terms, (length (without monomial terms) <= length terms)%nat.
Proof.
  intros monomial terms. induction terms as [|[weight other] rest known]; cbn; [lia|].
  destruct (same other monomial); cbn; lia.
Qed.

Lemma cancels :
  forall modulus size terms, (length terms <= size)%nat ->
    (forall monomial, (modulus | coefficient terms monomial)) -> (modulus | total terms).
Proof.
  intros modulus. induction size as [|size known]; intros terms short divides.
  - destruct terms; [apply Z.divide_0_r | cbn in short; lia].
  - destruct terms as [|[weight monomial] rest]; [apply Z.divide_0_r|].
    rewrite (taken_out monomial). apply Z.divide_add_r.
    + apply Z.divide_mul_l. apply divides.
    + apply known.
      * cbn. destruct (same monomial monomial) as [_|not]; [|congruence].
        pose proof (shorter monomial rest). cbn in short. lia.
      * intro other. rewrite coefficient_without. destruct (same monomial other).
        -- apply Z.divide_0_r.
        -- apply divides.
Qed.

(** A cell's terms add up to a multiple of its own modulus: 0 for an equation that holds as it stands, more
    where outputs stand for some integer because nothing reads them. That is left out of the log's sum. *)

Record equation := { log_weight : Z; terms : Terms; cell_modulus : Z }.
Variable log : list equation.
Variables product wanted : Terms.
Variable modulus : Z.

Definition added := flat_map (fun each => times (log_weight each) (terms each)) log.

Hypothesis holds : forall each, In each log -> (cell_modulus each | total (terms each)).
Hypothesis unused_counts_nothing :
  forall each, In each log -> (modulus | log_weight each * cell_modulus each).
(* not enough: forall each, In each log -> (modulus | 2 * log_weight each * cell_modulus each) *)
Hypothesis adds_up :
  forall monomial, (modulus | coefficient (product ++ added ++ times (-1) wanted) monomial).
(* not enough: forall monomial, (modulus | 2 * coefficient (product ++ added ++ times (-1) wanted) monomial) *)
Hypothesis product_fits : 0 <= total product < modulus.
(* not enough: 0 <= total product <= modulus *)
Hypothesis wanted_fits : 0 <= total wanted < modulus.
(* not enough: 0 <= total wanted <= modulus *)

Lemma nothing_added : (modulus | total added).
Proof.
  unfold added. induction log as [|each rest known]; cbn; [apply Z.divide_0_r|].
  rewrite total_app, total_times. apply Z.divide_add_r.
  - apply (Z.divide_trans _ (log_weight each * cell_modulus each)).
    + apply unused_counts_nothing. now left.
    + apply Z.mul_divide_mono_l. apply holds. now left.
  - apply known; intros other within; [apply holds | apply unused_counts_nothing]; now right.
Qed.

Theorem telescoping : total product = total wanted.
Proof.
  pose proof (cancels modulus _ _ (le_n _) adds_up) as sum.
  rewrite !total_app, total_times in sum. destruct sum as [some sum], nothing_added as [other none].
  assert (total product - total wanted = (some - other) * modulus) as multiple.
  { rewrite Z.mul_sub_distr_r. lia. }
  assert (some - other = 0) as no_multiple by nia. rewrite no_multiple in multiple. lia.
Qed.
End Adding_up.

(** What is wanted, sum of 2^(i+j) x_i y_j, is x times y. *)

Section Wanted.
Fixpoint number place (bits : list Z) := match bits with
  | [] => 0
  | bit :: rest => 2 ^ place * bit + number (place + 1) rest
  end.
Fixpoint row place bit (bits : list Z) := match bits with
  | [] => 0
  | other :: rest => 2 ^ place * (bit * other) + row (place + 1) bit rest
  end.
Fixpoint partial_products place (x y : list Z) := match x with
  | [] => 0
  | bit :: rest => row place bit y + partial_products (place + 1) rest y
  end.

Lemma row_is : forall y bit i j, 0 <= i -> 0 <= j -> row (i + j) bit y = 2 ^ i * bit * number j y.
Proof.
  induction y as [|other rest known]; intros bit i j one two; cbn [row number]; [ring|].
  replace (i + j + 1) with (i + (j + 1)) by ring.
  rewrite known, Z.pow_add_r by lia. ring.
Qed.

Theorem wanted_product :
  forall x y place, 0 <= place -> partial_products place x y = number place x * number 0 y.
Proof.
  induction x as [|bit rest known]; intros y place positive; cbn [partial_products number]; [ring|].
  rewrite known by lia. replace place with (place + 0) at 1 by ring. rewrite row_is by lia. ring.
Qed.
End Wanted.

(** ** Cells *)

(** A whole adder: its claim is of words of m + 1 bits, hence of integers. *)

Section Adder.
Variables x y carry_in sum carry size : Z.
Hypothesis positive : 0 <= size.
(* not enough: -1 <= size *)
Hypothesis x_fits : 0 <= x < 2 ^ size.
(* not enough: 0 <= x <= 2 ^ size *)
Hypothesis y_fits : 0 <= y < 2 ^ size.
(* not enough: 0 <= y <= 2 ^ size *)
Hypothesis carry_in_fits : 0 <= carry_in <= 1.
(* not enough: 0 <= carry_in <= 2 *)
Hypothesis adds : sum + 2 ^ size * carry = (x + y + carry_in) mod 2 ^ (size + 1).
(* not enough: (sum + 2 ^ size * carry) mod 2 ^ size = (x + y + carry_in) mod 2 ^ size *)

Theorem adder : x + y + carry_in = sum + 2 ^ size * carry.
Proof.
  rewrite adds, Z.mod_small; [reflexivity|]. rewrite Z.add_1_r, Z.pow_succ_r by exact positive. lia.
Qed.
End Adder.

(** One without a carry adds modulo 2^m only: so much is a multiple of its cell's modulus. *)

Section Adder_without_carry.
Variables x y carry_in sum size : Z.
Hypothesis adds : sum = (x + y + carry_in) mod 2 ^ size.
(* not enough: sum mod 2 ^ (size - 1) = (x + y + carry_in) mod 2 ^ (size - 1) *)

Theorem adder_without_carry : (2 ^ size | x + y + carry_in - sum).
Proof.
  exists ((x + y + carry_in) / 2 ^ size).
  pose proof (Z_div_mod_eq_full (x + y + carry_in) (2 ^ size)). rewrite adds. lia.
Qed.
End Adder_without_carry.

(** The modulus of a cell with several outputs that nothing reads is the greatest common divisor of their
    weights: if each counts for nothing, so does that. *)

Section Unused.
Variables modulus weight one other : Z.
Hypothesis one_counts_nothing : (modulus | weight * one).
Hypothesis other_counts_nothing : (modulus | weight * other).

Theorem unused : (modulus | weight * Z.gcd one other).
Proof.
  destruct (Z.gcd_bezout one other _ eq_refl) as (a & b & is).
  rewrite <- is. replace (weight * (a * one + b * other)) with (a * (weight * one) + b * (weight * other))
    by ring.
  apply Z.divide_add_r; apply Z.divide_mul_r; assumption.
Qed.
End Unused.

(** In so many bits that hold the sum of all weights, a difference between both sides shows. *)

Section Enough_bits.
Variables difference most width : Z.
Hypothesis bounded : Z.abs difference <= most.
Hypothesis enough : most < 2 ^ width.
(* not enough: most <= 2 ^ width *)
Hypothesis modulo : difference mod 2 ^ width = 0.
(* not enough: difference mod 2 ^ (width - 1) = 0 *)

Theorem enough_bits : difference = 0.
Proof.
  apply Z.mod_divide in modulo; [|lia]. destruct modulo as [some is].
  assert (some = 0) as none by nia. rewrite is, none. ring.
Qed.
End Enough_bits.

(** A bit of negative weight counts as its negation does. *)

Theorem negative_weight : forall weight bit, - weight * bit = weight * (1 - bit) - weight.
Proof. intros. ring. Qed.

(** A cell [function] is one polynomial in its bits, of degree at most one in each: of a function and its
    first bit, its value where that is 0, and that bit times the difference. Coefficients are by the bits that
    are multiplied, as are monomials. *)

Section Function.
Fixpoint coefficients size (function : list bool -> Z) : list (Z * list bool) := match size with
  | O => [(function [], [])]
  | S rest =>
      let zero bits := function (false :: bits) in
      let difference bits := function (true :: bits) - function (false :: bits) in
      map (fun '(weight, bits) => (weight, false :: bits)) (coefficients rest zero) ++
      map (fun '(weight, bits) => (weight, true :: bits)) (coefficients rest difference)
  end.

Fixpoint multiplied (monomial bits : list bool) := match monomial, bits with
  | true :: rest, bit :: others => Z.b2z bit * multiplied rest others
  | false :: rest, _ :: others => multiplied rest others
  | _, _ => 1
  end.

Definition polynomial_at bits (polynomial : list (Z * list bool)) :=
  total _ (fun monomial => multiplied monomial bits) polynomial.

Lemma put_before :
  forall first bit bits polynomial,
    polynomial_at (bit :: bits) (map (fun '(weight, rest) => (weight, first :: rest)) polynomial)
      = (if first then Z.b2z bit else 1) * polynomial_at bits polynomial.
Proof.
  intros first bit bits polynomial. unfold polynomial_at.
  induction polynomial as [|[weight rest] others known]; cbn [map total multiplied]; [ring|].
  rewrite known. destruct first; ring.
Qed.

Theorem function_is_polynomial :
  forall bits function, polynomial_at bits (coefficients (length bits) function) = function bits.
Proof.
  induction bits as [|bit bits known]; intro function; [cbn; ring|].
  cbn [length coefficients]. unfold polynomial_at at 1. rewrite total_app.
  fold (polynomial_at (bit :: bits)). change (total _ _ ?terms) with (polynomial_at (bit :: bits) terms).
  rewrite !put_before, !known. destruct bit; cbn [Z.b2z]; ring.
Qed.
End Function.

(** Nothing is assumed beside the premises. *)

Definition proved := (telescoping, wanted_product, adder, adder_without_carry, unused, enough_bits,
  negative_weight, function_is_polynomial).
Print Assumptions proved.
