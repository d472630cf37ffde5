# Sourced by the other scripts: installs what a fresh Debian/Ubuntu machine lacks, and says so.

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

need_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else say "needs root: $*"; return 1
  fi
}

apt_install() {
  command -v apt-get >/dev/null 2>&1 || {
    say "missing: $* (no apt-get here; install them with your package manager)"; return 1
  }
  say "installing with apt: $*"
  need_root apt-get update -qq
  need_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

ensure_rust() {
  if ! command -v cargo >/dev/null 2>&1 && [ -f "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
  command -v cargo >/dev/null 2>&1 || {
    say "Rust is missing: install rustc and cargo 1.95 or newer (https://rustup.rs), then run this again"; exit 1
  }
  command -v cc >/dev/null 2>&1 || apt_install gcc libc6-dev
}

# A Vulkan adapter: a GPU's driver if there is one, Mesa's software adapter (lavapipe) otherwise.
ensure_adapter() {
  local loader icd
  loader=$({ ldconfig -p 2>/dev/null || true; } | grep -c 'libvulkan\.so\.1' || true)
  icd=$(find /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/share/vulkan/icd.d -name '*.json' 2>/dev/null | wc -l || true)
  if [ "$loader" -eq 0 ] || [ "$icd" -eq 0 ]; then
    say "no Vulkan adapter found: Covista renders on Mesa's software adapter then"
    apt_install libvulkan1 mesa-vulkan-drivers
  fi
}

# Sets other clocks for one of the tests of faults, which is skipped without it.
ensure_faketime() {
  command -v faketime >/dev/null 2>&1 || apt_install faketime || say "skipped: the tests with other clocks"
}
