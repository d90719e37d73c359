// What an RDMA device may do with pages that Xen guests share: registers one, for writes from far, and says
// what came of it.
//
//   register_pages shared                 memory of memfd_create()
//   register_pages grant DOMAIN           a page granted to DOMAIN; says its reference, and holds it until
//   its input ends register_pages map DOMAIN REFERENCE   a page that DOMAIN granted
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

extern "C" {
#include <xengnttab.h>
}

namespace {

constexpr std::size_t kPage = 4096;

[[noreturn]] void fail(const char* what) {
    perror(what);
    exit(1);
}

// The first device's.
ibv_pd* open_device() {
    ibv_device** devices = ibv_get_device_list(nullptr);
    if (devices == nullptr || devices[0] == nullptr) fail("ibv_get_device_list");
    ibv_context* context = ibv_open_device(devices[0]);
    if (context == nullptr) fail("ibv_open_device");
    ibv_pd* domain = ibv_alloc_pd(context);
    if (domain == nullptr) fail("ibv_alloc_pd");
    return domain;
}

// Not longer than it is mapped: the kernel does not unmap pages of another guest that a device holds.
void register_page(const char* what, void* page) {
    memset(page, 1, kPage);  // there is a page behind it
    ibv_mr* region = ibv_reg_mr(open_device(), page, kPage,
                                IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ);
    printf("%s: %s\n", what, region != nullptr ? "registered" : strerrorname_np(errno));
    fflush(stdout);
    if (region != nullptr && ibv_dereg_mr(region) != 0) fail("ibv_dereg_mr");
}

void* shared_page() {
    const int fd = memfd_create("page", 0);
    if (fd < 0 || ftruncate(fd, kPage) != 0) fail("memfd_create");
    void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) fail("mmap");
    return page;
}

void grant(std::uint32_t domain) {
    xengntshr_handle* device = xengntshr_open(nullptr, 0);
    std::uint32_t reference = 0;
    void* page = device == nullptr ? nullptr : xengntshr_share_pages(device, domain, 1, &reference, 1);
    if (page == nullptr) fail("xengntshr_share_pages");
    register_page("granted pages", page);
    printf("reference %u\n", reference);
    fflush(stdout);
    char input;
    while (read(STDIN_FILENO, &input, 1) > 0) continue;
    xengntshr_unshare(device, page, 1);
}

void map(std::uint32_t domain, std::uint32_t reference) {
    xengnttab_handle* device = xengnttab_open(nullptr, 0);
    void* page = device == nullptr
                     ? nullptr
                     : xengnttab_map_grant_ref(device, domain, reference, PROT_READ | PROT_WRITE);
    if (page == nullptr) fail("xengnttab_map_grant_ref");
    register_page("mapped grants", page);
    xengnttab_unmap(device, page, 1);
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int i) { return static_cast<std::uint32_t>(strtoul(argv[i], nullptr, 10)); };
    if (argc == 2 && strcmp(argv[1], "shared") == 0) {
        register_page("shared memory", shared_page());
    } else if (argc == 3 && strcmp(argv[1], "grant") == 0) {
        grant(number(2));
    } else if (argc == 4 && strcmp(argv[1], "map") == 0) {
        map(number(2), number(3));
    } else {
        fprintf(stderr, "usage: %s shared | grant DOMAIN | map DOMAIN REFERENCE\n", argv[0]);
        return 2;
    }
    return 0;
}
