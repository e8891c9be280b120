//! The macro by which `livekit` forwards methods of an enum to what its variants hold.

/// Writes methods of an enum that call the same method on whichever variant it is.
///
/// ```text
/// enum_dispatch!([Audio, Video]; pub fn id(self: &Self) -> String;);
/// ```
#[macro_export]
macro_rules! enum_dispatch {
    ($variants:tt; $($(#[$attr:meta])* $vis:vis fn $name:ident(
        $this:ident: $Self:ty $(, $arg:ident: $Arg:ty)* $(,)?
    ) -> $Ret:ty;)+) => {
        $($crate::enum_dispatch!(@method $variants; [$(#[$attr])*] $vis $name $this ($Self)
            ($($arg: $Arg),*) $Ret);)+
    };
    (@method $variants:tt; [$($attr:tt)*] $vis:vis $name:ident $this:ident ($Self:ty)
        ($($arg:ident: $Arg:ty),*) $Ret:ty) => {
        $($attr)*
        #[inline]
        $vis fn $name($this: $Self $(, $arg: $Arg)*) -> $Ret {
            $crate::enum_dispatch!(@arms $variants $this $name ($($arg),*))
        }
    };
    (@arms [$($variant:ident),+ $(,)?] $this:ident $name:ident $args:tt) => {
        match $this {
            $(Self::$variant(inner) => $crate::enum_dispatch!(@call inner $name $args),)+
        }
    };
    (@call $inner:ident $name:ident ($($arg:ident),*)) => {
        $inner.$name($($arg),*)
    };
}
