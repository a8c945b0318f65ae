(** Any number of steps, from one: circuits/clocked.py, proofs/loops.py, proofs/latches.py. *)

From Coq Require Import ZArith Lia.
Local Open Scope Z_scope.

(** What holds before the first step, and after each if it held before it, holds before every step. *)

Section Every_step.
Variables Input State : Type.
Variable initial : State.
Variable next : Input -> State -> State.
Variable inputs : nat -> Input.
Variable holds : State -> Prop.
Fixpoint state time := match time with
  | O => initial
  | S before => next (inputs before) (state before)
  end.

Hypothesis base : holds initial.
Hypothesis step : forall x before, holds before -> holds (next x before).

Theorem every_step : forall time, holds (state time).
Proof. induction time as [|time known]; [exact base | exact (step _ _ known)]. Qed.
End Every_step.

(** ** Accumulators: proofs/loops.py *)

Section Accumulator.
Variables Value Term : Type.
Variable zero : Value.
Variable add : Term -> Value -> Value.      (* rounded *)
Variable held : nat -> Value.               (* before each step *)
Variable term : nat -> Term.                (* in each step *)
Variable start : nat -> bool.
Variable bias : nat -> Value.
Hypothesis base : held 0%nat = zero.
Hypothesis step :
  forall time, held (S time) = add (term time) (if start time then bias time else held time).

(** S(k), of the terms from one step on. *)
Fixpoint sequential initial first terms := match terms with
  | O => initial
  | S before => add (term (first + before)%nat) (sequential initial first before)
  end.

Theorem from_the_beginning :
  forall terms, (forall time, (time < terms)%nat -> start time = false) ->
    held terms = sequential zero 0 terms.
Proof.
  induction terms as [|terms known]; intro not_started; [exact base|].
  rewrite step, not_started by lia. cbn [sequential]. rewrite known; [reflexivity|].
  intros time within. apply not_started. lia.
Qed.

Theorem from_a_start :
  forall first terms, start first = true ->
    (forall time, (first < time < first + S terms)%nat -> start time = false) ->
    held (first + S terms)%nat = sequential (bias first) first (S terms).
Proof.
  intros first terms started. rewrite Nat.add_succ_r, step.
  induction terms as [|terms known]; intro not_started.
  - rewrite Nat.add_0_r, started. cbn [sequential]. now rewrite Nat.add_0_r.
  - rewrite not_started by lia. cbn [sequential]. rewrite Nat.add_succ_r, step, known; [reflexivity|].
    intros time within. apply not_started. lia.
Qed.
End Accumulator.

(** ** Latches: proofs/latches.py

    Counts are of [width] bits and begin again at 0. A class leads if every other, with the lead, is no more. *)

Section Latch.
Variables classes lead width : Z.
Variable fired : nat -> Z -> Z.      (* in each step, of each class *)
Variable counted : nat -> Z -> Z.    (* before each step *)
Variable closed : nat -> Z -> bool.  (* before each step, of each class *)
Variable decided : nat -> bool.      (* whether of some class *)
Let class c := 0 <= c < classes.
Let leads (counts : Z -> Z) c :=
  forall other, class other -> other <> c -> counts other + lead <= counts c.

Hypothesis of_some :
  forall time, decided time = true <-> exists c, class c /\ closed time c = true.
Hypothesis none_closed : forall c, closed 0%nat c = false.
Hypothesis stays :
  forall time c, class c -> decided time = true -> closed (S time) c = closed time c.
Hypothesis closes :
  forall time c, class c -> decided time = false ->
    closed (S time) c = true <-> leads (counted (S time)) c.

Theorem decided_for_good :
  forall time steps c, class c -> decided time = true ->
    closed (time + steps)%nat c = closed time c /\ decided (time + steps) = true.
Proof.
  intros time steps c is_class is_decided. revert c is_class.
  induction steps as [|steps known]; intros c is_class; [now rewrite Nat.add_0_r|].
  rewrite Nat.add_succ_r. destruct (known c is_class) as [same still].
  rewrite (stays _ c is_class still). split; [exact same|].
  apply of_some. apply of_some in still. destruct still as (d & is_d & shut).
  exists d. split; [exact is_d|]. rewrite stays; trivial. apply of_some. now exists d.
Qed.

(** In so many steps counts do not begin again: then the class that is closed is the first that has led. *)

Fixpoint all time c := match time with
  | O => 0
  | S before => all before c + fired before c
  end.
Let first_leads time c :=
  leads (all time) c /\
  forall before d, (1 <= before < time)%nat -> class d -> ~ leads (all before) d.

Hypothesis nothing_counted : forall c, class c -> counted 0%nat c = 0.
Hypothesis counts :
  forall time c, class c -> counted (S time) c = (counted time c + fired time c) mod 2 ^ width.
Hypothesis one_spike : forall time c, 0 <= fired time c <= 1.
(* not enough: forall time c, 0 <= fired time c <= 2 *)
Variable time : nat.
Hypothesis not_too_long : Z.of_nat time < 2 ^ width.
(* not enough: Z.of_nat time <= 2 ^ width *)

Lemma counts_all :
  forall early c, (early <= time)%nat -> class c ->
    counted early c = all early c /\ 0 <= all early c <= Z.of_nat early.
Proof.
  intros early c within is_class. induction early as [|early known]; [|].
  { cbn. split; [exact (nothing_counted c is_class)|lia]. }
  destruct (known ltac:(lia)) as [same small]. pose proof (one_spike early c).
  cbn [all]. rewrite counts, same, Z.mod_small by (trivial; lia). lia.
Qed.

Lemma leads_alike :
  forall early c, (early <= time)%nat -> class c -> leads (counted early) c <-> leads (all early) c.
Proof.
  intros early c within is_class. destruct (counts_all early c within is_class) as [own _].
  unfold leads. rewrite own.
  split; intros ahead other is_other differs; destruct (counts_all early other within is_other) as [same _];
    specialize (ahead other is_other differs); congruence.
Qed.

Lemma nobody_yet :
  forall early, (early <= time)%nat -> decided early = false ->
    forall before d, (1 <= before <= early)%nat -> class d -> ~ leads (all before) d.
Proof.
  intros early within open before d order is_d ahead. destruct before as [|before]; [lia|].
  apply leads_alike in ahead; [|lia|exact is_d].
  assert (decided (S before) = true) as is_decided.
  { destruct (decided before) eqn:already.
    - replace (S before) with (before + 1)%nat by lia. apply (decided_for_good before 1 d is_d already).
    - apply of_some. exists d. split; [exact is_d|]. apply closes; assumption. }
  destruct (decided_for_good (S before) (early - S before) d is_d is_decided) as [_ still].
  replace (S before + (early - S before))%nat with early in still by lia. congruence.
Qed.

Theorem first_to_lead :
  forall c, class c ->
    closed time c = true <-> exists early, (1 <= early <= time)%nat /\ first_leads early c.
Proof.
  assert (forall late, (late <= time)%nat -> forall c, class c ->
    closed late c = true <-> exists early, (1 <= early <= late)%nat /\ first_leads early c) as known.
  2: exact (known time (le_n _)).
  induction late as [|late known]; intros within c is_class.
  { rewrite none_closed. split; [discriminate|]. intros (early & order & _). lia. }
  specialize (known ltac:(lia)). destruct (decided late) eqn:is_decided.
  - rewrite stays, known by assumption. split; intros (early & order & first); exists early.
    { split; [lia|exact first]. }
    split; [|exact first]. destruct (Nat.eq_dec early (S late)) as [last|]; [|lia]. exfalso.
    apply of_some in is_decided. destruct is_decided as (d & is_d & shut).
    apply (known d is_d) in shut. destruct shut as (sooner & before & ahead & _).
    apply (proj2 first sooner d); [lia|exact is_d|exact ahead].
  - rewrite (closes _ c is_class is_decided), leads_alike by assumption. split.
    + intro ahead. exists (S late). split; [lia|]. split; [exact ahead|].
      intros before d order. apply (nobody_yet late); [lia|exact is_decided|lia].
    + intros (early & order & ahead & _).
      destruct (Nat.eq_dec early (S late)) as [last|not]; [now rewrite last in ahead|]. exfalso.
      apply (nobody_yet late ltac:(lia) is_decided early c); [lia|exact is_class|exact ahead].
Qed.
End Latch.

(** Never more than one class is closed in: none is at first, and no step makes two of one or none. *)

Section One_class.
Variable class : Z -> Prop.
Variable closed : nat -> Z -> bool.
Let at_most_one time :=
  forall c d, class c -> class d -> closed time c = true -> closed time d = true -> c = d.
Hypothesis none_closed : forall c, closed 0%nat c = false.
Hypothesis step : forall time, at_most_one time -> at_most_one (S time).

Theorem one_class : forall time, at_most_one time.
Proof.
  induction time as [|time known]; [|exact (step time known)].
  intros c d _ _ shut _. rewrite none_closed in shut. discriminate.
Qed.
End One_class.

(** Nothing is assumed beside the premises. *)

Definition proved := (every_step, from_the_beginning, from_a_start, decided_for_good, first_to_lead,
  one_class).
Print Assumptions proved.
