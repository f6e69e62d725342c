"""What stands beside the data: card, Croissant, picture."""
