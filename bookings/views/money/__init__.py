"""Pages about money: charges, and what pays for them."""
