#!/bin/sh
# Sees to the servers that `make test` starts: Chromium, Dovecot, and Java and Maven for Neo4j and GreenMail. PostgreSQL and Redis come as wheels.
# Installs what is missing where root and apt are there, else prints the one command that does.
set -eu
cd "$(dirname "$0")/.."

packages=
need() {    # need COMMAND PACKAGE...
    command -v "$1" >/dev/null 2>&1 && return
    shift
    packages="$packages $*"
}
need java openjdk-17-jre-headless
need mvn maven
command -v dovecot >/dev/null 2>&1 || [ -x /usr/sbin/dovecot ] || packages="$packages dovecot-imapd dovecot-lmtpd"
command -v chromium-browser >/dev/null 2>&1 || need chromium chromium
[ -e /usr/share/fonts/truetype/dejavu ] || [ "$(fc-list :lang=ru 2>/dev/null | head -1)" ] || packages="$packages fonts-dejavu-core"

if [ -n "$packages" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing$packages" >&2
        apt-get update -qq
        # shellcheck disable=SC2086  # a list of words
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    else
        echo "The tests need more servers; run this, then try again:" >&2
        echo "  sudo apt-get update && sudo apt-get install -y$packages" >&2
        exit 1
    fi
fi

# The jars of Neo4j and GreenMail, once per user.
.venv/bin/python -c 'from infra.servers import greenmail, neo4j; neo4j.fetch_jars(); greenmail.fetch_jars()'
