(** Membranes that nothing resets, right for ever: circuits/physics/leak.py.

    One evaluation is about any residual potentials within intervals, scaled by the largest share beta that
    is kept, and about any noise within its own; it is right, and what is left is within the intervals again. *)

From Coq Require Import QArith Lqa.
Local Open Scope Q_scope.

(** Less is kept: beta V of a smaller beta lies within what is kept of the largest, as 0 does. *)

Section Smaller_beta.
Variables beta largest potential low high : Q.
Hypothesis beta_positive : 0 <= beta.
(* not enough: -(1) <= beta *)
Hypothesis smaller : beta <= largest.
Hypothesis within : low <= potential <= high.
Hypothesis zero_within : low <= 0 <= high.

Theorem smaller_beta : largest * low <= beta * potential <= largest * high.
Proof. nra. Qed.
End Smaller_beta.

Section For_ever.
Variables Input Output Noise Potentials : Type.
Variable allowed : Potentials -> Prop.     (* each within its interval *)
Variable kept : Potentials -> Prop.        (* each within its interval times the largest beta *)
Variable silent : Potentials.              (* all 0, where they begin *)
Variable leak : nat -> Potentials -> Potentials. (* by what is kept at each evaluation, perhaps less *)
Variable noise_within : Noise -> Prop.
Variable fired : Input -> Noise -> Potentials -> Output.
Variable after : Input -> Noise -> Potentials -> Potentials.
Variable right : Input -> Output -> Prop.

Hypothesis begins : allowed silent.
Hypothesis no_more_kept : forall time potentials, allowed potentials -> kept (leak time potentials).
Hypothesis one_evaluation :
  forall x noise residual, noise_within noise -> kept residual ->
    right x (fired x noise residual) /\ allowed (after x noise residual).
(* not enough: forall x noise residual, noise_within noise -> kept residual ->
    right x (fired x noise residual) *)

(** What comes in, and the noise, at each evaluation. *)
Variable inputs : nat -> Input.
Variable noises : nat -> Noise.
Hypothesis all_within : forall time, noise_within (noises time).
(* not enough: forall time, noise_within (noises (S time)) *)

Fixpoint potentials time := match time with
  | O => silent
  | S before => after (inputs before) (noises before) (leak before (potentials before))
  end.

Lemma stays : forall time, allowed (potentials time).
Proof.
  induction time as [|before known]; [exact begins|].
  exact (proj2 (one_evaluation _ _ _ (all_within before) (no_more_kept before _ known))).
Qed.

Theorem right_for_ever :
  forall time, right (inputs time) (fired (inputs time) (noises time) (leak time (potentials time))).
Proof.
  intro time. exact (proj1 (one_evaluation _ _ _ (all_within time) (no_more_kept time _ (stays time)))).
Qed.
End For_ever.

(** Nothing is assumed beside the premises. *)

Definition proved := (smaller_beta, right_for_ever).
Print Assumptions proved.
