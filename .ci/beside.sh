# Commands side by side: `beside FILE COMMAND...` starts one that writes to FILE.out, `join_besides` waits for all of them, prints what each wrote
# and how it ended, those that failed last, and fails when one of them did. `stop_besides` ends those that still run.

beside_files=()
beside_ids=()

beside() {
  local file=$1
  shift
  # In a subshell of its own, `set -e` holds inside a function too.
  ( "$@" ) >"$file.out" 2>&1 </dev/null &
  beside_ids+=($!)
  beside_files+=("$file")
}

join_besides() {
  local at status failed=()
  for at in "${!beside_ids[@]}"; do
    status=0
    wait "${beside_ids[at]}" || status=$?
    if ((status == 0)); then
      cat "${beside_files[at]}.out"
    else
      failed+=("$at:$status")
    fi
  done
  for at in ${failed[@]+"${failed[@]}"}; do
    cat "${beside_files[${at%:*}]}.out"
    echo "${beside_files[${at%:*}]##*/}: exit ${at#*:}"
  done
  beside_ids=()
  beside_files=()
  ((${#failed[@]} == 0))
}

stop_besides() {
  local id
  for id in ${beside_ids[@]+"${beside_ids[@]}"}; do
    pkill -TERM -P "$id" 2>/dev/null || true
    kill -TERM "$id" 2>/dev/null || true
  done
}
