import os

# One thread of linear algebra per process, set before numpy is imported: CPU seconds are then those of one core.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
