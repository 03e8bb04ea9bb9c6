"""The report page: one HTML file with all tables, plots and answers in it."""
