#!/bin/sh
# What the official image's entrypoint does with an empty folder: a cluster, a user with a password, a database of that user.
set -eu
data=/var/lib/postgresql/data
chown postgres:postgres "$data"
chmod 700 "$data"
as() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
if [ ! -s "$data/PG_VERSION" ]; then
    secret="$(mktemp)"
    printf '%s\n' "${POSTGRES_PASSWORD:?}" >"$secret"
    chown postgres "$secret"
    as initdb -D "$data" -U "$POSTGRES_USER" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8
    rm "$secret"
    echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
    as pg_ctl -D "$data" -o "-c listen_addresses=''" -w start
    [ "$POSTGRES_DB" = postgres ] || as createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
    as pg_ctl -D "$data" -w stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$data" -c 'listen_addresses=*'
