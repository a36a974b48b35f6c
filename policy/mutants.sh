#!/bin/sh
# Changes the rules one by one and shows that a test fails for each (cargo-mutants). Survivors are compared with the
# list in MUTANTS.md: one that is not there is a rule that no test holds.
#
#   policy/mutants.sh                     everything
#   policy/mutants.sh --file 'policy/src/rules/**'     a part; arguments go to cargo-mutants
set -eu
cd "$(dirname "$0")/.."

command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants

out=${MUTANTS_OUT:-target/mutants}
mkdir -p "$out"
# The libraries' overhead would be most of the time of a run, and a mutation that never ends is caught as well.
# 2 and 3 are its exit codes for survivors and timeouts, which are looked at below.
status=0
cargo mutants --package mediagate-policy --jobs 1 --in-place --baseline skip --timeout 240 \
    --no-shuffle --colors never --output "$out" "$@" || status=$?
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac

# Lines of the form "policy/src/x.rs:1:2: replace a with b in f": what counts is the file and the change.
known=$(sed -n 's/^\* `\(.*\)`.*/\1/p' policy/MUTANTS.md)
unknown=$(sed 's/:[0-9]*:[0-9]*: /: /' "$out/mutants.out/missed.txt" | sort -u |
    while IFS= read -r survivor; do
        printf '%s\n' "$known" | grep -qxF -- "$survivor" || printf '%s\n' "$survivor"
    done)
if [ -n "$unknown" ]; then
    printf 'Survivors that MUTANTS.md does not justify:\n%s\n' "$unknown" >&2
    exit 1
fi
echo "No unknown survivor."
