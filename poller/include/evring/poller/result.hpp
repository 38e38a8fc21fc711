// SPDX-License-Identifier: MIT
// What a try_ function returns: a value, or why there is none.
#pragma once

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace evring {

/// Why something could not be had.
struct Refusal {
  int code = 0;      ///< an errno
  std::string text;  ///< one line: the thing, the reason, the remedy
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}              // NOLINT: a T is a result
  Result(Refusal refusal) : refusal_(std::move(refusal)) {}  // NOLINT: so is a refusal

  bool has_value() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  /// Only with a value.
  T& operator*() & noexcept { return *value_; }
  T&& operator*() && noexcept { return *std::move(value_); }
  T* operator->() noexcept { return &*value_; }
  /// Code 0 with a value.
  const Refusal& error() const noexcept { return refusal_; }

 private:
  std::optional<T> value_;
  Refusal refusal_;
};

/// What `body()` returns, or what it threw as a refusal: std::system_error by its errno,
/// std::invalid_argument as EINVAL, std::out_of_range as ERANGE. The rest passes through.
template <class Body>
auto try_to(Body&& body) -> Result<decltype(body())> {
  try {
    return body();
  } catch (const std::system_error& error) {
    return Refusal{error.code().value(), error.what()};
  } catch (const std::invalid_argument& error) {
    return Refusal{EINVAL, error.what()};
  } catch (const std::out_of_range& error) {
    return Refusal{ERANGE, error.what()};
  }
}

}  // namespace evring
