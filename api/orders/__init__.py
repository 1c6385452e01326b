"""Orders: quote, reservation, and the order's life from payment to delivery or refund."""
