#!/bin/sh
# The target of the kill drill: keeps a log of its own of what is done to it. Called with what to do, the number of
# the step and the log; 'do' also with how long it takes and what becomes of it.
what=$1 number=$2 log=$3 seconds=${4:-0} outcome=${5:-ends}

# Every process of the groups in which this step ran that lives; what only waits to be reaped does not.
living() {
  for group in $(awk -v number="$number" '$1 == "begin" && $2 == number { print $3 }' "$log" 2>/dev/null); do
    ps -Ao pgid=,stat=,pid= | awk -v group="$group" '$1 == group && $2 !~ /^[ZX]/ { print $3 }'
  done
}

case $what in
do)
  # exec'd by the launcher: this process leads the step's process group
  echo "begin $number $$" >>"$log"
  [ "$outcome" = leaves ] && sleep 600 >/dev/null 2>&1 &
  sleep "$seconds"
  [ "$outcome" = fails ] && { echo "fail $number" >>"$log"; exit 1; }
  echo "end $number" >>"$log"
  ;;
undo)
  left=$(living)
  [ -z "$left" ] || echo "overtaken $number $left" | tr '\n' ' ' | sed 's/$/\n/' >>"$log"
  echo "undo $number" >>"$log"
  sleep "$seconds"
  echo "undone $number" >>"$log"
  ;;
esac
