"""Orders and after-sales: taken in, folded, shown as the rules allow, and acted on (R20–R35)."""
