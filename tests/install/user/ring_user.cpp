// SPDX-License-Identifier: MIT
// A user of the ring: one event through a local ring, by the installed library.
#include <evring/consumer.hpp>
#include <evring/local_ring.hpp>
#include <evring/producer.hpp>

int main() {
  const evring::LocalRing ring = evring::LocalRing::anonymous();
  evring::Producer producer(ring);
  evring::Consumer consumer(ring.mapping());
  evring::Event event;
  event.set(42);
  producer.publish(event);
  evring::Event got;
  return consumer.try_read(got) == evring::ReadStatus::kEvent && got.get<int>() == 42 ? 0 : 1;
}
