# A day of a user of an official Bacalhau command line. Runs in a network namespace of its own, so that nobody is called.
# usage: official-day.sh TOOL VERSION SERVER... ; the server listens on PORT of the environment
set -u
tool=$1 version=$2
shift 2
ip link set lo up
"$@" >"$DAY/server.log" 2>&1 &
server=$!
trap 'kill $server; wait $server' EXIT
until curl -sf "localhost:$PORT/api/v1/orchestrator/nodes" 2>/dev/null | grep -q lisbon; do
  kill -0 $server || exit 1
  sleep 0.1
done
if [ "$version" = 1.9.3 ]; then
  command=("$tool" 1.9.3 -c API.Host=127.0.0.1 -c "API.Port=$PORT" -c DisableAnalytics=true
    -c UpdateConfig.Interval=0s --data-dir "$DAY/client")
else
  command=("$tool" 1.4.0 --api-host 127.0.0.1 --api-port "$PORT" --repo "$DAY/client")
fi
mkdir -p "$DAY/client"
cd "$DAY"
run() {
  timeout 60 "${command[@]}" "$@" 2>&1
  echo "### $? ${*//j-*-*-*-*/JOB}"
}
id_of() {
  timeout 60 "${command[@]}" job list --output json --limit 50 2>/dev/null |
    node -e 'console.log(JSON.parse(require("fs").readFileSync(0)).find((job) => job.Name === process.argv[1]).ID)' "$1"
}
run version
run agent alive
run agent version
run agent node
run wasm run m.wasm
run job run first.yaml
run job run first.yaml --dry-run
[ "$version" = 1.9.3 ] && run job run first.yaml --id-only
[ "$version" = 1.9.3 ] && run job run first.yaml --force --node-details
run job run service.yaml --wait=false
first=$(id_of first) service=$(id_of service)
run job list
run job list --order-by modified_at --order-reversed --limit 2
run job list --labels a=b
run job describe "$first"
run job executions "$first"
run job history "$first"
mkdir got
run job get "$first" --output-dir got
ls got
[ "$version" = 1.9.3 ] && run job versions first
[ "$version" = 1.9.3 ] && run job rerun first
run job describe "$service"
run job stop "$service"
run node list
run node list --show labels,capacity
run node describe lisbon
run job describe none
# The real v1.9.3 does not end these.
if [ "$LOGS" = yes ]; then
  run job logs "$first"
  run job logs -f "$first"
fi
