"""What holds of accounts, whoever keeps them."""
