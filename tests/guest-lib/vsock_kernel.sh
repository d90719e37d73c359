#!/bin/bash
# AF_VSOCK streams whose descriptors are the kernel's, and the kernel's AF_VSOCK as the reference for names. Asked for
# by XYLEM_TEST_KERNEL_VSOCK=yes only: what listens here is seen by the hypervisor and by every guest of it.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
if [[ ${XYLEM_TEST_KERNEL_VSOCK:-} != yes ]]; then
    echo "XYLEM_TEST_KERNEL_VSOCK=yes is not set: the kernel's AF_VSOCK reaches other machines"
    exit 77
fi
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/vsock.sh
source tests/guest-lib/harness/vsock.sh

kernel_cid=$(/usr/bin/python3 -c '
import fcntl, socket, struct
with open("/dev/vsock") as device:
    print(struct.unpack("I", fcntl.ioctl(device, socket.IOCTL_VM_SOCKETS_GET_LOCAL_CID, bytes(4)))[0])')
start_agent "$near"
start_agent "$far"
for part in names streams handover; do
    vsock_cases "$part" "$in_domain" "$near" "$programs/vsock_cases_$part" "$near" kernel
done
for part in names handover; do
    vsock_cases "$part, the kernel's as reference" "$programs/vsock_cases_$part" "$kernel_cid" reference
done
python_between
finish
