"""Money: Stripe Checkout, webhooks, the ledger, refunds and reconciliation."""
