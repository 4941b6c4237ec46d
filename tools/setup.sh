# SPDX-License-Identifier: MIT
# Read by demo.sh, plot.sh and test.sh: goes to the top folder and installs what is missing on Debian and Ubuntu.
set -eu
cd "$(dirname "$0")/.."

# PoCL's kernel cache must not be shared between processes that run at once; and a run that leaves the
# user's own cache alone leaves nothing behind outside the build folder.
: "${POCL_CACHE_DIR:=$PWD/build/pocl-cache/default}"
: "${CLACT_CACHE_DIR=$PWD/build/clact-cache}"
export POCL_CACHE_DIR CLACT_CACHE_DIR

# PoCL asks hwloc for the machine's memory and aborts where that finds none, as in a chroot without /sys.
# Then hwloc is told.
if [ ! -d /sys/devices/system/cpu/cpu0/topology ] && command -v getconf >/dev/null; then
    memory=$(($(getconf _PHYS_PAGES) * $(getconf PAGE_SIZE)))
    export HWLOC_SYNTHETIC="numa:1(memory=$memory) core:$(nproc) pu:1"
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_missing package ...: on systems without dpkg the user must have them already, and CMake says
# what it does not find. A package after the word "optional" may be unknown to the system.
install_missing() {
    command -v dpkg-query >/dev/null || return 0
    optional=
    missing=
    for package in "$@"; do
        if [ "$package" = optional ]; then
            optional=yes
        elif ! is_installed "$package"; then
            missing="$missing $optional${optional:+:}$package"
        fi
    done
    [ -n "$missing" ] || return 0
    as_root apt-get update -q
    wanted=
    for package in $missing; do
        case $package in
        yes:*) apt-cache show "${package#yes:}" >/dev/null 2>&1 || continue ;;
        esac
        wanted="$wanted ${package#yes:}"
    done
    [ -n "$wanted" ] || return 0
    echo "Installing:$wanted"
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $wanted
}

# What the library needs to be built and to have a device. A GPU's driver brings its own; PoCL makes a
# device of the CPU.
build_packages="gcc libc6-dev make cmake pkg-config ocl-icd-opencl-dev pocl-opencl-icd"

# build_quietly [option of cmake --build ...]: without the tests; what the compiler says is shown only if it
# fails.
build_quietly() {
    echo "Building ..."
    log=build-quietly.log
    {
        cmake --preset default -DCLACT_BUILD_TESTS=OFF &&
            cmake --build build -j "$(nproc 2>/dev/null || echo 2)" "$@"
    } >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
    rm -f "$log"
}
