"""What is really there against what our rows say: findings, ignore rules, repairs, orphans."""
