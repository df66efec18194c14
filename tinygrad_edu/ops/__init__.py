"""Every primitive with its derivative rules, by subject."""
