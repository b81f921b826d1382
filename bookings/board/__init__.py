"""The demand board: needs published to hosts as enquiries, and the bids with which hosts answer them."""
