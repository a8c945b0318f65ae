(** When one circuit follows another, neuron by neuron: prover/kernel/following.py.

    Signals are numbered; [neuron s] is what the original's neuron s makes of its sources, [between s] what
    the follower has at the places of s if it has values at those of the sources, and [Others] are inputs
    that the follower has besides. That [between] is of the follower is [cut], of composition.v. *)

From Coq Require Import Arith.

Section One_rail.
Variables Input Others : Type.
Variable is_input placed : nat -> Prop.  (* of the original's signals *)
Variable source : nat -> nat -> Prop.    (* [source s r]: neuron s reads signal r *)
Variable neuron : nat -> (nat -> bool) -> bool.
Variable original : Input -> nat -> bool.            (* v *)
Variable follower : Input -> Others -> nat -> bool.
Variable place : nat -> nat.                         (* p *)
Variable between : nat -> (nat -> bool) -> Others -> bool.
Hypothesis input_or_neuron : forall s, is_input s \/ ~ is_input s.

Hypothesis earlier : forall s r, source s r -> r < s.
Hypothesis evaluated : forall s x, ~ is_input s -> original x s = neuron s (original x).
Hypothesis reads_sources : forall s f g, (forall r, source s r -> f r = g r) -> neuron s f = neuron s g.
Hypothesis between_places :
  forall s x d, placed s -> ~ is_input s ->
    follower x d (place s) = between s (fun r => follower x d (place r)) d.

Hypothesis same_inputs : forall s x d, is_input s -> follower x d (place s) = original x s.
Hypothesis sources_placed : forall s r, placed s -> ~ is_input s -> source s r -> placed r.
Hypothesis every_neuron : forall s f d, placed s -> ~ is_input s -> between s f d = neuron s f.

Theorem following : forall s x d, placed s -> follower x d (place s) = original x s.
Proof.
  intros s x d. induction s as [s before] using (well_founded_induction lt_wf). intro is_placed.
  destruct (input_or_neuron s) as [is|is_neuron]; [exact (same_inputs s x d is)|].
  rewrite (between_places s x d), (every_neuron s), (evaluated s x) by trivial.
  apply reads_sources. intros r reads.
  exact (before r (earlier s r reads) (sources_placed s r is_placed is_neuron reads)).
Qed.
End One_rail.

(** On two rails each signal has a place for its complement too, and each input comes with its own. *)

Section Two_rails.
Variables Input Others : Type.
Variable is_input placed : nat -> Prop.
Variable source : nat -> nat -> Prop.
Variable neuron : nat -> (nat -> bool) -> bool.
Variable original : Input -> nat -> bool.
Variable follower : Input -> Others -> nat -> bool.
Variables place complement : nat -> nat.             (* p and q *)
Variables between between_complements : nat -> (nat -> bool) -> (nat -> bool) -> Others -> bool.
Variable complemented : Input -> Others -> Prop.     (* what is assumed of inputs *)
Hypothesis input_or_neuron : forall s, is_input s \/ ~ is_input s.

Hypothesis earlier : forall s r, source s r -> r < s.
Hypothesis evaluated : forall s x, ~ is_input s -> original x s = neuron s (original x).
Hypothesis between_reads_sources :
  forall s f g f' g' d, (forall r, source s r -> f r = f' r /\ g r = g' r) ->
    between s f g d = between s f' g' d /\ between_complements s f g d = between_complements s f' g' d.
Hypothesis between_places :
  forall s x d, placed s -> ~ is_input s ->
    let f r := follower x d (place r) in let g r := follower x d (complement r) in
    follower x d (place s) = between s f g d /\ follower x d (complement s) = between_complements s f g d.

Hypothesis same_inputs : forall s x d, is_input s -> follower x d (place s) = original x s.
Hypothesis complements :
  forall s x d, complemented x d -> is_input s -> follower x d (complement s) = negb (original x s).
Hypothesis sources_placed : forall s r, placed s -> ~ is_input s -> source s r -> placed r.
Hypothesis every_neuron :
  forall s f d, placed s -> ~ is_input s ->
    let g r := negb (f r) in
    between s f g d = neuron s f /\ between_complements s f g d = negb (neuron s f).

Theorem following_on_two_rails :
  forall s x d, complemented x d -> placed s ->
    follower x d (place s) = original x s /\ follower x d (complement s) = negb (original x s).
Proof.
  intros s x d assumed. induction s as [s before] using (well_founded_induction lt_wf). intro is_placed.
  destruct (input_or_neuron s) as [is|is_neuron].
  { split; [exact (same_inputs s x d is) | exact (complements s x d assumed is)]. }
  assert (forall r, source s r ->
    follower x d (place r) = original x r /\ follower x d (complement r) = negb (original x r)) as known.
  { intros r reads.
    exact (before r (earlier s r reads) (sources_placed s r is_placed is_neuron reads)). }
  destruct (between_places s x d is_placed is_neuron) as [value other].
  destruct (between_reads_sources s _ _ (original x) (fun r => negb (original x r)) d known) as [one two].
  destruct (every_neuron s (original x) d is_placed is_neuron) as [right wrong].
  rewrite (evaluated s x is_neuron), value, other, one, two. exact (conj right wrong).
Qed.
End Two_rails.

(** Nothing is assumed beside the premises. *)

Definition proved := (following, following_on_two_rails).
Print Assumptions proved.
