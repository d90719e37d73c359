# shellcheck shell=dash disable=SC2154
# A shell in dom0, with both guests running shells of their own. Sourced by init.
if create a && create b; then introduce; fi
xl list
cat <<END

This is dom0 of an emulated Xen machine; guests a ($kind_a) and b ($kind_b) are running.
  xl console a       a shell in guest a (likewise b); Ctrl-] comes back
  xl list, xl dmesg, xenstore-ls, lsevtchn DOMID, xl debug-keys g
  create a, destroy a, introduce       what the tests' dom0 uses (/guests.sh)
  exit               ends the machine; Ctrl-a x does so at any time

END
export ENV=/guests.sh
export kind_a kind_b memory
setsid cttyhack sh
