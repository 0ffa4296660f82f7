#!/usr/bin/env bash
# usage: generate.sh GDC [SPEC...] -> generated/SPEC.rs for each spec, as `gdc compile` writes it.
set -euo pipefail
cd "$(dirname "$0")"
gdc=$1; shift
mkdir -p generated
[[ $# -gt 0 ]] || set -- $(basename -s .gd specs/*.gd)
for spec in "$@"; do "$gdc" compile "specs/$spec.gd" -o "generated/$spec.rs"; done
