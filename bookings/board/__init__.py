"""The demand board: needs made visible as enquiries, and the bids of hosts that answer them."""
