"""The durable state, on Pony. Nobody else imports Pony."""
