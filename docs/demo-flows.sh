#!/bin/sh
# From a list to a reconciled refund, on real sample payloads. Argument: the folder that `cargo xtask dist --out` made.
set -eu
DIR=$(cd "${1:?expected the folder with the program}" && pwd)
HERE=$(cd "$(dirname "$0")/.." && pwd)
DESK=$(mktemp -d)
trap 'rm -rf "$DESK"' EXIT
export RECOUP_ACTOR=tess RECOUP_STORE="$DESK/cases.db"
FACTS='--assume transaction_in_progress=false --assume promotion=false --assume frozen_legal=false --assume paid_by_partner=false
  --assume invoiced=false --assume special_request_open=false --assume changed_before_renewal=false
  --assume attachment_added_after_renewal=false --assume bandwidth_addon=false'
cd "$HERE/fixtures/huawei/payloads/v2"

step() { printf '\n$ recoup %s\n' "$*"; "$DIR/recoup" "$@" --format table 2>&1 | grep -v '^note: \|read as'; }

# shellcheck disable=SC2086 # one word each
step case list ./*.json --at 2025-09-20 $FACTS
# shellcheck disable=SC2086
step case quote ./*.json --at 2025-09-20 $FACTS --outcome allowed
step case confirm C1 --at 2025-09-20 --reason 5 --text 'moved away' --acknowledge irreversible
step case execute C1 --at 2025-09-20
step case execute C1 --at 2025-09-20 --gateway worklist --worklists "$DESK/lists"
step case execute C1 --at 2025-09-20 --tick done --reference CS2509201000EXAMPLE
step case settle C1 --at 2025-09-22 --line 1 --amount 720.10 --currency USD --instrument cash --reference R-1
step case settle C1 --at 2025-09-23 --line 2 --amount 80.00 --currency USD --instrument cash --reference R-2
step case settle --at 2025-09-24
# What is short makes reconcile end with 1, as it should.
step reconcile --store "$RECOUP_STORE" || true
step case settle C1 --at 2025-09-25 --line 2 --amount 20.00 --currency USD --instrument cash --reference R-3
step reconcile --store "$RECOUP_STORE"
step case history C1
step case verify
