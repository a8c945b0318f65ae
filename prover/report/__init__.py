"""A proof log shown to people and to other programs: HTML, LaTeX, BibTeX, Markdown, JUnit."""
