# What a session may say besides the ordinary commands of sh and pidone. The runner (tests/outside/test_worlds.py) reads this first.
# It also sets: $HERE, the folder of this world, where everything runs; $WORLD, the world's name; $PIDONE_SOCKET; $TEST_WORLD_MEASURED.
up=

up() { # OPTION…: start `pidone up` on world.yaml in the background; goes on when it answers or has ended. It writes to `log`.
  _start pidone up --name "$WORLD" --socket control.sock -c world.yaml "$@"
}

init() { # OPTION…: the same with `pidone init`, which is then a subreaper.
  _start pidone init --name "$WORLD" --socket control.sock -c world.yaml "$@"
}

_start() {
  # a shell starts what it puts in the background with SIGINT ignored; a terminal does not
  env --default-signal=INT,QUIT $TEST_WORLD_MEASURED "$@" </dev/null >>log 2>&1 &
  up=$!
  eventually _answers_or_has_ended
}

as_pid1() { # COMMAND…: run it as PID 1 of a PID namespace of its own.
  unshare --user --map-root-user --pid --fork --kill-child --mount-proc "$@"
}

_answers_or_has_ended() {
  { read -r _ _ _state _ <"/proc/$up/stat"; } 2>/dev/null || return 0 # a shell may have reaped it before it is waited for
  [ "$_state" = Z ] && return
  pidone status >/dev/null 2>&1
  [ $? -ne 5 ]
}

ended() { # Wait until it has ended; say its exit status.
  wait "$up"
  _status=$?
  up=
  echo "ended with $_status"
}

end() { # Ask it to end as `kill` does, and wait.
  kill -TERM "$up"
  ended
}

eventually() { # COMMAND…: again and again until it succeeds.
  _tries=0
  until "$@" >/dev/null 2>&1; do
    _tries=$((_tries + 1))
    if [ "$_tries" -gt 500 ]; then
      echo "never: $*"
      "$@"
      return 1
    fi
    sleep 0.03
  done
}

field() { # SERVICE KEY [KEY]: what `pidone status --json` says of it: field web phase, field web reason code, field web last_exit result.
  pidone status --json | python3 -IS -c '
import json, sys
name, *keys = sys.argv[1:]
value = next(one for one in json.load(sys.stdin)["services"] if one["name"] == name)
for key in keys:
    value = value[key] if value is not None else None
print(value if isinstance(value, str) else json.dumps(value))' "$@"
}

phase() { # SERVICE: its phase.
  field "$1" phase
}

becomes() { # SERVICE [KEY…] VALUE: wait until it is so: becomes web running, becomes web ready true, becomes web reason code ready.
  eventually _is "$@"
}

_is() {
  [ $# -gt 2 ] || set -- "$1" phase "$2"
  _words=
  _service=$1
  shift
  while [ $# -gt 1 ]; do
    _words="$_words $1"
    shift
  done
  _found=$(field "$_service" $_words)
  echo "$_service:$_words is $_found, not $1"
  [ "$_found" = "$1" ]
}

lines() { # FILE N: wait until it has N whole lines; print it.
  eventually _has_lines "$1" "$2"
  cat "$1"
}

_has_lines() {
  [ "$(wc -l <"$1")" -ge "$2" ]
}

over() { # What the runner says at the end: whatever still runs is asked to end, and must do so with 0.
  [ -z "$up" ] || end
}
