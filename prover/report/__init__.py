"""Results for people: tables, pages, plots, and what was published beside them."""
