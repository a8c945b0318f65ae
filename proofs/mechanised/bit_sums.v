(** Sums of products of bits, and within what they lie: prover/kernel/bit_sums.py. *)

From Coq Require Import QArith Qminmax Lqa List.
Import ListNotations.
Local Open Scope Q_scope.

(** A sum is at least its constant and its negative terms, and at most its constant and its positive ones. *)

Section Range.
Let Terms := list (Q * bool). (* weights, and whether all bits of a term are 1 *)
Let of_bit (bit : bool) : Q := if bit then 1 else 0.
Fixpoint total (terms : Terms) := match terms with
  | [] => 0
  | (weight, bits) :: rest => weight * of_bit bits + total rest
  end.
Fixpoint low (terms : Terms) := match terms with
  | [] => 0
  | (weight, _) :: rest => Qmin weight 0 + low rest
  end.
Fixpoint high (terms : Terms) := match terms with
  | [] => 0
  | (weight, _) :: rest => Qmax weight 0 + high rest
  end.

Theorem range : forall constant terms,
  constant + low terms <= constant + total terms <= constant + high terms.
Proof.
  intros constant terms. induction terms as [|[weight bits] rest known]; cbn [low total high]; [lra|].
  pose proof (Q.le_min_l weight 0). pose proof (Q.le_min_r weight 0).
  pose proof (Q.le_max_l weight 0). pose proof (Q.le_max_r weight 0).
  destruct bits; cbn [of_bit]; lra.
Qed.
End Range.

(** A bit times itself is that bit: so a product of terms is a term of the bits of both. *)

Theorem bit_squared : forall bit : bool, let b := if bit then 1 else 0 in b * b == b.
Proof. destruct bit; reflexivity. Qed.

(** A multiple of an interval has its ends in order. *)

Section Multiple.
Variables number low high factor : Q.
Hypothesis within : low <= number <= high.
(* not enough: low <= number <= high + 1 *)

Theorem multiple :
  Qmin (low * factor) (high * factor) <= number * factor <= Qmax (low * factor) (high * factor).
Proof.
  pose proof (Q.le_min_l (low * factor) (high * factor)).
  pose proof (Q.le_min_r (low * factor) (high * factor)).
  pose proof (Q.le_max_l (low * factor) (high * factor)).
  pose proof (Q.le_max_r (low * factor) (high * factor)).
  destruct (Qlt_le_dec factor 0); nra.
Qed.
End Multiple.

(** A sum that differs by a constant from a multiple of another, within what that is known to lie. *)

Section By_another.
Variables form other factor constant low high : Q.
Hypothesis differs_by_constant : form - factor * other == constant.
Hypothesis known : low <= other <= high.

Theorem by_another :
  constant + Qmin (low * factor) (high * factor) <= form <= constant + Qmax (low * factor) (high * factor).
Proof.
  destruct (multiple other low high factor known). lra.
Qed.
End By_another.

(** Nothing is assumed beside the premises. *)

Definition proved := (range, bit_squared, multiple, by_another).
Print Assumptions proved.
