"""What every page shares: templates, forms, paging, security."""
