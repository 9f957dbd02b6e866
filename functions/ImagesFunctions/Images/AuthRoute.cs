using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/auth</c> of the control plane: the account of the token, and its registry.</summary>
internal static class AuthRoute
{
    public static Task ShowAsync(HttpContext context, Access access)
    {
        var account = access.Account;
        QueryParameters.DemandNone(context.Request);
        return Envelope.WriteDataAsync(
            context,
            json =>
            {
                json.WriteString("organization_name", account);
                json.WriteString("organization_display_name", account);
                json.WriteString("organization_uuid", StableUuid.Of("account", account));
                json.WriteString("registry", PublicAddress.HostOf(context));
            }
        );
    }

    /// <summary>Sign-in by a browser, which does not exist here. The caller has no token yet.</summary>
    public static Task RefuseSigninAsync(HttpContext context) =>
        throw new ApiException(
            StatusCodes.Status404NotFound,
            "There is no browser sign-in here: use a token, which the operator makes.",
            ErrorNumber.NotFound
        );
}
