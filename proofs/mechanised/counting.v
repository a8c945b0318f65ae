(** Counts: neurons that read one sum and say whether it reaches 1, 2, 3, ...: prover/kernel/counting.py. *)

From Coq Require Import ZArith Lia List.
Import ListNotations.
Local Open Scope Z_scope.

(** Step k adds up an integer and fires if it reaches its threshold less its bias, least / scale: which is to
    be more than k - 1 and at most k. *)

Section Step.
Variables sum k least scale : Z.
Hypothesis above : scale * (k - 1) < least.
(* not enough: scale * (k - 1) <= least *)
Hypothesis at_most : least <= scale * k.
(* not enough: least <= scale * k + 1 *)

Theorem step : least <= scale * sum <-> k <= sum.
Proof. nia. Qed.
End Step.

(** Steps that read one sum and whose thresholds rise are in order, whatever the sum is. *)

Section In_order.
Variable sum : Z.
Variable least : nat -> Z.
Hypothesis rising : forall k, least k <= least (S k).
(* not enough: forall k, least k <= least (S k) + 1 *)

Theorem in_order : forall lower higher, (lower <= higher)%nat -> least higher <= sum -> least lower <= sum.
Proof.
  intros lower higher below. induction below as [|higher _ known]; intro fires; [exact fires|].
  apply known. pose proof (rising higher). lia.
Qed.
End In_order.

(** A sum of steps in order, each with its weight, is one of the partial sums along them. *)

Section Range.
Fixpoint ordered (steps : list (Z * bool)) := match steps with
  | [] => True
  | (_, fires) :: rest => (fires = false -> forall each, In each rest -> snd each = false) /\ ordered rest
  end.
Fixpoint total (steps : list (Z * bool)) := match steps with
  | [] => 0
  | (weight, fires) :: rest => weight * Z.b2z fires + total rest
  end.
Fixpoint partial_sums initial (steps : list (Z * bool)) := match steps with
  | [] => [initial]
  | (weight, _) :: rest => initial :: partial_sums (initial + weight) rest
  end.

Lemma silent : forall steps, (forall each, In each steps -> snd each = false) -> total steps = 0.
Proof.
  induction steps as [|[weight fires] rest known]; intro none; [reflexivity|]. cbn [total].
  pose proof (none _ (or_introl eq_refl)) as first. cbn in first. subst fires.
  rewrite known; [cbn; lia|]. intros each within. apply none. now right.
Qed.

Lemma along :
  forall steps initial, ordered steps -> In (initial + total steps) (partial_sums initial steps).
Proof.
  induction steps as [|[weight fires] rest known]; intros initial order; cbn [total partial_sums].
  - left. ring.
  - destruct order as [first order]. destruct fires; cbn [Z.b2z].
    + right. replace (initial + (weight * 1 + total rest)) with (initial + weight + total rest) by ring.
      exact (known _ order).
    + left. rewrite silent by exact (first eq_refl). ring.
Qed.

Variable steps : list (Z * bool).
Variables low high : Z.
Hypothesis order : ordered steps.
Hypothesis least : forall partial, In partial (partial_sums 0 steps) -> low <= partial.
(* not enough: forall partial, In partial (partial_sums 0 steps) -> low <= partial + 1 *)
Hypothesis most : forall partial, In partial (partial_sums 0 steps) -> partial <= high.
(* not enough: forall partial, In partial (partial_sums 0 steps) -> partial <= high + 1 *)

Theorem range : low <= total steps <= high.
Proof. pose proof (along steps 0 order) as one. split; [apply least | apply most]; exact one. Qed.
End Range.

(** A count n as a word: step k is [n >= k]. Steps weigh as bits of n do if, for every count, they add up to
    the same; and if each weighs 1 and there are enough of them, together they are the count. *)

Section Words.
Variable weight : nat -> Z.
Fixpoint partial count := match count with
  | O => 0
  | S before => partial before + weight count
  end.
Fixpoint of_steps steps n := match steps with
  | O => 0
  | S before => of_steps before n + weight steps * Z.b2z (Nat.leb steps n)
  end.

Lemma steps_of_count : forall n steps, of_steps steps n = partial (Nat.min steps n).
Proof.
  intro n. induction steps as [|steps known]; [reflexivity|]. cbn [of_steps]. rewrite known.
  destruct (Nat.leb_spec (S steps) n) as [reached|not].
  - rewrite !Nat.min_l by lia. cbn [partial Z.b2z]. ring.
  - rewrite !Nat.min_r by lia. cbn [Z.b2z]. ring.
Qed.

Variable most : nat.
Variable of_bits : nat -> Z.
Hypothesis same_for_every_count : forall count, (count <= most)%nat -> partial count = of_bits count.
(* not enough: forall count, (count < most)%nat -> partial count = of_bits count *)
Variable n : nat.
Hypothesis no_more_than_steps : (n <= most)%nat.
(* not enough: (n <= S most)%nat *)

Theorem in_binary : of_steps most n = of_bits n.
Proof.
  rewrite steps_of_count, Nat.min_r by exact no_more_than_steps.
  exact (same_for_every_count n no_more_than_steps).
Qed.
End Words.

Section Count.
Variable sum : Z.
Variable steps : nat.
Hypothesis never_negative : 0 <= sum.
(* not enough: -1 <= sum *)
Hypothesis within_steps : sum <= Z.of_nat steps.
(* not enough: sum <= Z.of_nat steps + 1 *)

Theorem count : of_steps (fun _ => 1) steps (Z.to_nat sum) = sum.
Proof.
  rewrite (in_binary (fun _ => 1) steps Z.of_nat); [lia| |lia].
  intros each _. induction each as [|each known]; [reflexivity|]. cbn [partial]. rewrite known. lia.
Qed.
End Count.

(** Nothing is assumed beside the premises. *)

Definition proved := (step, in_order, range, in_binary, count).
Print Assumptions proved.
