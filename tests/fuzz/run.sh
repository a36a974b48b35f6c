#!/usr/bin/env bash
# Fuzzes each target for so many seconds: `tests/fuzz/run.sh [seconds] [target...]`. What it finds is left in artifacts/.
#
# Inputs that a run adds to its corpus stay out of the repository: the ones that are in it were chosen to be few.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:-60}
shift || true
if [ $# -eq 0 ]; then
    for target in fuzz_targets/*.rs; do
        set -- "$@" "$(basename "$target" .rs)"
    done
fi
command -v cargo-fuzz >/dev/null || {
    printf 'fuzz: cargo-fuzz is missing: cargo install cargo-fuzz\n' >&2
    exit 1
}
# cargo-fuzz passes flags that only nightly compilers take without this.
export RUSTC_BOOTSTRAP=1

for target in "$@"; do
    printf 'fuzz: %s for %s s\n' "$target" "$seconds"
    mkdir -p "found/$target"
    # All of it is safe code, so that no sanitizer would see more than the checks that Rust makes.
    cargo fuzz run --fuzz-dir . --sanitizer none --debug-assertions "$target" "found/$target" "corpus/$target" -- \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1
done
