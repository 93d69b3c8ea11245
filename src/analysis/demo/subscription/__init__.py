"""The made-up software vendor: customers who subscribe, renew, grow and leave."""
