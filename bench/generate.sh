#!/usr/bin/env bash
# usage: generate.sh GDC [SPEC...] -> generated/SPEC.rs for each spec, as `gdc compile` writes it, and
# generated/SPEC_threads.rs with `threads = auto;` added to those that `threads` times; or
# generate.sh GDC --patterns -> generated/pattern_NAME.rs for what kernels/benches/kernels.rs times.
set -euo pipefail
cd "$(dirname "$0")"
gdc=$1; shift
mkdir -p generated
if [[ "${1:-}" == --patterns ]]; then
    for spec in kernels/patterns/*.gd; do
        "$gdc" compile "$spec" -o "generated/pattern_$(basename "$spec" .gd).rs"
    done
    exit
fi
[[ $# -gt 0 ]] || set -- $(basename -s .gd specs/*.gd)
for spec in "$@"; do
    "$gdc" compile "specs/$spec.gd" -o "generated/$spec.rs"
    if [[ " lenet mlp_784_128_10 mlp_512x4_10 transformer " == *" $spec "* ]]; then
        sed 's/train { /&threads = auto; /' "specs/$spec.gd" > "generated/${spec}_threads.gd"
        "$gdc" compile "generated/${spec}_threads.gd" -o "generated/${spec}_threads.rs"
        # So that the time of what is shared can be taken.
        sed -i 's/::gdc::rt::each(/::gdc_bench::each(/' "generated/${spec}_threads.rs"
    fi
done
