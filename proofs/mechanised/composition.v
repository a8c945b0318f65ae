(** When lemmas about the values on the way make up a unit's theorem: prover/kernel/composition.py. *)

From Coq Require Import Arith Lia.

(** ** Free signals

    A formula of the circuit in which some signals are free is evaluated as the circuit is, but takes those
    signals from outside. Instantiated by what they are in the circuit, everything is what it is there. *)

Section Cut.
Variable neuron : nat -> (nat -> bool) -> bool. (* of signals; an input bit is a neuron that reads nothing *)
Variables value found : nat -> bool.            (* of signals, in the circuit, and where some are free *)
Variable free : nat -> option bool.

Hypothesis reads_earlier :
  forall s f g, (forall r, r < s -> f r = g r) -> neuron s f = neuron s g.
(* not enough: forall s f g, (forall r, r <= s -> f r = g r) -> neuron s f = neuron s g *)
Hypothesis evaluated : forall s, value s = neuron s value.
Hypothesis evaluated_from :
  forall s, found s = match free s with Some bit => bit | None => neuron s found end.
Hypothesis instantiated : forall s bit, free s = Some bit -> bit = value s.

Theorem cut : forall s, found s = value s.
Proof.
  intro s. induction s as [s earlier] using (well_founded_induction lt_wf).
  rewrite evaluated_from. destruct (free s) as [bit|] eqn:is_free.
  - exact (instantiated s bit is_free).
  - rewrite evaluated. apply reads_earlier. intros r before. exact (earlier r before).
Qed.
End Cut.

(** ** Steps, from inputs to outputs

    Steps are numbered in order; step [last] is the outputs, of which what counts is [seen]. A step may be
    of several probes, whose values are then one. *)

Section Composition.
Variables Input Value Seen : Type.
Let Values := nat -> Value.               (* of the probes, by step *)
Variables circuit spec : Input -> Values. (* s and t *)
Variable last : nat.
Variable given : nat -> nat -> Prop.      (* [given k j]: step k takes that of step j as free *)
Variable seen : Input -> Value -> Seen.

(** What circuit and spec have where step k is given values v. *)
Variables circuit_from spec_from : nat -> Input -> Values -> Values.

(** A fact is about a step's value, and may speak of the spec's others. *)
Variable fact : nat -> Input -> Value -> Values -> Prop.

(** Algebra shows that a value is a function of others; its laws are about these and the result. *)
Variables by_algebra lawful : nat -> bool.
Variable meaning : nat -> Values -> Value.
Variable law : nat -> Values -> Value -> Prop.
Variable relation : nat -> Values -> Value -> Values -> Value -> Prop.

(** What the theorem assumes; the condition; and cases, of steps and of the inputs that it leaves out. *)
Variable assumption : Input -> Prop.
Variable assumption_from : nat -> Input -> Values -> Prop.
Variable condition : Input -> bool. (* W *)
Variable wiring : nat -> Values -> Prop.
Variable Case : Type.
Variable case : nat -> Case -> Input -> Values -> Prop.
Variable other_case : Case -> Input -> Prop.

(** What lemmas assume of values that are given. [defined] is for the outputs alone: that values which
    engines have shown are what the spec computes of those before them. *)
Variable computed : Input -> Values -> Values.
Let circuits k x (v : Values) := forall j, given k j -> v j = circuit x j.
Let facts k x v := forall j, given k j -> fact j x (v j) (spec_from k x v).
Let laws k x v :=
  forall j, given k j -> lawful j = true -> law j (spec_from k x v) (v j).
Let defined x (v : Values) :=
  forall j, given last j -> by_algebra j = false -> v j = computed x v j.
Let assumed k x v :=
  assumption_from k x v /\ condition x = true /\ wiring k v /\ facts k x v /\ laws k x v.

(** And of v, the circuit's, and w, the spec's, for the other inputs. *)
Let takes_no_facts k := forall j, given k j -> forall x value v, fact j x value v.
Let apart x v w :=
  wiring last v /\
  (forall j, given last j -> lawful j = true -> law j (spec_from last x w) (w j)) /\
  (forall j, given last j -> lawful j = true -> takes_no_facts j ->
     law j (circuit_from last x v) (v j) /\
     relation j (spec_from last x w) (w j) (circuit_from last x v) (v j)).

(** Only earlier probes are taken as free. *)
Hypothesis earlier : forall k j, given k j -> j < k.
(* not enough: forall k j, given k j -> j <= k *)

(** This is [cut]; bits of the circuit that are one signal are equal, and constant bits are constant. *)
Hypothesis circuit_cut : forall k j x v, circuits k x v -> circuit_from k x v j = circuit x j.
Hypothesis wired : forall k x v, circuits k x v -> wiring k v.

(** The spec with the values filled in is the spec of the theorem, to the letter; so is what is assumed. *)
Hypothesis filled_in : forall k x, spec_from k x (spec x) = spec x.
Hypothesis assumption_filled_in : forall k x, assumption x -> assumption_from k x (spec x).
Hypothesis definitions_filled_in : forall x j, computed x (spec x) j = spec x j.

(** The spec's value of a step by algebra is that algebra's function, to the letter. Laws are true. *)
Hypothesis to_the_letter : forall k x v, by_algebra k = true -> spec_from k x v k = meaning k v.
Hypothesis law_of_meaning : forall k v, lawful k = true -> law k v (meaning k v).
Hypothesis relation_of_meanings :
  forall k v w, lawful k = true -> relation k v (meaning k v) w (meaning k w).
Hypothesis lawful_by_algebra : forall k, lawful k = true -> by_algebra k = true.

(** The lemmas of a step. *)
Hypothesis agreement :
  forall k c x v, k < last -> by_algebra k = false -> assumed k x v -> case k c x v ->
    circuit_from k x v k = spec_from k x v k.
Hypothesis coverage :
  forall k x v, k < last -> by_algebra k = false -> assumed k x v -> exists c, case k c x v.
Hypothesis algebra :
  forall k x v, by_algebra k = true -> circuits k x v -> facts k x v -> circuit x k = meaning k v.
Hypothesis fact_about :
  forall k x v, k < last -> lawful k = false -> assumed k x v ->
    fact k x (circuit_from k x v k) (spec_from k x v).
Hypothesis lawful_fact :
  forall k x v result, lawful k = true ->
    condition x = true -> wiring k v -> facts k x v -> law k v result ->
    fact k x result (spec_from k x v).

(** The lemmas of the outputs. *)
Hypothesis outputs :
  forall c x v, assumed last x v -> defined x v -> case last c x v ->
    seen x (circuit_from last x v last) = seen x (spec_from last x v last).
Hypothesis coverage_of_outputs :
  forall x v, assumed last x v -> defined x v -> exists c, case last c x v.
Hypothesis outputs_otherwise :
  forall c x v w, assumption_from last x w -> condition x = false -> apart x v w -> other_case c x ->
    seen x (circuit_from last x v last) = seen x (spec_from last x w last).
Hypothesis coverage_otherwise :
  forall x, assumption x -> condition x = false -> exists c, other_case c x.

Lemma spec_is_meaning : forall k x, by_algebra k = true -> spec x k = meaning k (spec x).
Proof.
  intros k x shown. rewrite <- (to_the_letter k x _ shown). now rewrite filled_in.
Qed.

Lemma law_of_spec : forall k x, lawful k = true -> law k (spec x) (spec x k).
Proof.
  intros k x is_lawful. rewrite (spec_is_meaning k x (lawful_by_algebra k is_lawful)).
  exact (law_of_meaning k _ is_lawful).
Qed.

(** What the induction shows of a step. *)
Let shown x k := circuit x k = spec x k /\ fact k x (spec x k) (spec x).

Lemma instantiated :
  forall k x, assumption x -> condition x = true -> (forall j, j < k -> shown x j) ->
    circuits k x (spec x) /\ assumed k x (spec x).
Proof.
  intros k x is_assumed meets before.
  assert (circuits k x (spec x)) as own.
  { intros j free. symmetry. apply (before j (earlier k j free)). }
  repeat split; trivial.
  - exact (assumption_filled_in k x is_assumed).
  - exact (wired k x _ own).
  - intros j free. rewrite filled_in. apply (before j (earlier k j free)).
  - intros j free is_lawful. rewrite filled_in. exact (law_of_spec j x is_lawful).
Qed.

Lemma every_step : forall k x, assumption x -> condition x = true -> k < last -> shown x k.
Proof.
  intros k x is_assumed meets. induction k as [k before] using (well_founded_induction lt_wf).
  intro within.
  destruct (instantiated k x is_assumed meets) as [own all].
  { intros j less. apply before; lia. }
  assert (circuit x k = spec x k) as same.
  { destruct (by_algebra k) eqn:method.
    - rewrite (spec_is_meaning k x method). apply algebra; trivial. apply all.
    - destruct (coverage k x _ within method all) as [c here].
      pose proof (agreement k c x _ within method all here) as equal.
      now rewrite (circuit_cut k k x _ own), filled_in in equal. }
  split; [exact same|]. destruct (lawful k) eqn:is_lawful.
  - destruct all as (_ & _ & wires & known & _).
    pose proof (lawful_fact k x _ _ is_lawful meets wires known (law_of_spec k x is_lawful)) as holds.
    now rewrite filled_in in holds.
  - pose proof (fact_about k x _ within is_lawful all) as holds.
    now rewrite (circuit_cut k k x _ own), filled_in, same in holds.
Qed.

Theorem composition : forall x, assumption x -> seen x (circuit x last) = seen x (spec x last).
Proof.
  intros x is_assumed. destruct (condition x) eqn:meets.
  - destruct (instantiated last x is_assumed meets) as [own all].
    { intros j less. exact (every_step j x is_assumed meets less). }
    assert (defined x (spec x)) as values_defined.
    { intros j _ _. now rewrite definitions_filled_in. }
    destruct (coverage_of_outputs x _ all values_defined) as [c here].
    pose proof (outputs c x _ all values_defined here) as equal.
    now rewrite (circuit_cut last last x _ own), filled_in in equal.
  - destruct (coverage_otherwise x is_assumed meets) as [c here].
    assert (forall k, circuits k x (circuit x)) as own by (intros k j _; reflexivity).
    assert (apart x (circuit x) (spec x)) as are_apart.
    { split; [exact (wired last x _ (own last))|]. rewrite filled_in. split.
      - intros j _ is_lawful. exact (law_of_spec j x is_lawful).
      - intros j _ is_lawful no_facts. pose proof (lawful_by_algebra j is_lawful) as method.
        rewrite (algebra j x (circuit_from last x (circuit x)) method).
        + rewrite (spec_is_meaning j x method).
          exact (conj (law_of_meaning j _ is_lawful) (relation_of_meanings j _ _ is_lawful)).
        + intros i _. exact (circuit_cut last i x _ (own last)).
        + intros i free. exact (no_facts i free x _ _). }
    pose proof (outputs_otherwise c x _ _ (assumption_filled_in last x is_assumed) meets are_apart here)
      as equal.
    now rewrite (circuit_cut last last x _ (own last)), filled_in in equal.
Qed.
End Composition.

(** ** Beside our own unit: prover/kernel/beside.py *)

Section Beside.
Variables Input Output Seen : Type.
Variables circuit unit expected : Input -> Output.
Variable seen : Input -> Output -> Seen.
Variable assumption : Input -> Prop.

Hypothesis same_outputs : forall x, assumption x -> seen x (circuit x) = seen x (unit x).
Hypothesis theorem_of_unit : forall x, assumption x -> seen x (unit x) = seen x (expected x).

Theorem beside : forall x, assumption x -> seen x (circuit x) = seen x (expected x).
Proof.
  intros x is_assumed. now rewrite (same_outputs x is_assumed), (theorem_of_unit x is_assumed).
Qed.
End Beside.

(** Nothing is assumed beside the premises. *)

Definition proved := (cut, composition, beside).
Print Assumptions proved.
