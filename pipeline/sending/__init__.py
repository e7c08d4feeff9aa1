"""What is said to the channels: the outbox, its workers, their pace, and what each kind of call does (R15, R27)."""
