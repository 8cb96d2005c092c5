"""What a candidate's process has open beside its standard streams, and what its program is called there."""

CHANNEL = 3  # to the judge; 0 to 2 are the null device
CONTROL = 4  # between judge and zygote: closed before a candidate's program is seen
MODULE_NAME = "candidate"
