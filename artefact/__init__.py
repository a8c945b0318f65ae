"""What reviewers are handed: ``python -m artefact.pack`` makes it, of this source and a proof log."""
