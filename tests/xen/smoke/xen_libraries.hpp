// Xen's libraries. Their headers are C and do not say so.
#pragma once

extern "C" {
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
}
