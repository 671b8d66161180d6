"""What do we know? FAQ entries in YAML, the index that ranks them for a question, and the tools to look after them."""

import os

# Before numpy is loaded: on busy cores its threads wait for each other longer than they compute (a question's p95 was
# three times higher), and with one thread sums come out the same everywhere.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
